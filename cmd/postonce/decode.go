package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// go-yaml stops at the first error. Whoever writes a configuration wants all of
// them at once, so the tree is gone through here, and go-yaml gets the leaves.

// decodeMapping reads a mapping into a struct and returns all errors.
func decodeMapping(node ast.Node, into reflect.Value) []error {
	values, ok := mapping(node)
	if !ok {
		return []error{pointed(wrong(node, "keys and values are wanted here, such as %s", sample(into.Type())))}
	}
	var errs []error
	for _, v := range values {
		name := v.Key.GetToken().Value
		field, known := fieldOf(into, name)
		if !known {
			errs = append(errs, pointed(wrongAt(v, v.Key.GetToken(), "there is no such key%s", meant(name, keysOf(into.Type())))))
			continue
		}
		errs = append(errs, decodeValue(v.Value, field)...)
	}
	return errs
}

// decodeValue reads one value of any kind.
func decodeValue(node ast.Node, into reflect.Value) []error {
	_, leaf := into.Addr().Interface().(yaml.NodeUnmarshaler)
	switch {
	case leaf:
		if err := yaml.NodeToValue(node, into.Addr().Interface(), yaml.Strict()); err != nil {
			return []error{pointed(err)}
		}
		return nil
	case into.Kind() == reflect.Struct:
		return decodeMapping(node, into)
	case into.Kind() == reflect.Map:
		return decodeMap(node, into)
	case into.Kind() == reflect.Pointer: // nil where nothing is said
		one := reflect.New(into.Type().Elem())
		errs := decodeValue(node, one.Elem())
		if errs == nil {
			into.Set(one)
		}
		return errs
	}
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return []error{pointed(wrong(node, "a list is wanted here: write [%s]", strings.TrimSpace(node.String())))}
	}
	var errs []error
	for _, entry := range list.Values {
		one := reflect.New(into.Type().Elem()).Elem()
		errs = append(errs, decodeValue(entry, one)...)
		into.Set(reflect.Append(into, one))
	}
	return errs
}

// decodeMap reads a mapping whose keys are free, such as those of in_doubt and tls.
func decodeMap(node ast.Node, into reflect.Value) []error {
	values, ok := mapping(node)
	if !ok {
		example := fmt.Sprintf("{default: %s} for all destinations", strings.TrimSpace(node.String()))
		if one := into.Type().Elem(); one.Kind() == reflect.Struct {
			example = fmt.Sprintf("{example.com: {%s}}", sample(one))
		}
		return []error{pointed(wrong(node, "destinations, and what is set for each, are wanted here: write %s", example))}
	}
	into.Set(reflect.MakeMap(into.Type()))
	var errs []error
	for _, v := range values {
		one := reflect.New(into.Type().Elem()).Elem()
		errs = append(errs, decodeValue(v.Value, one)...)
		into.SetMapIndex(reflect.ValueOf(v.Key.GetToken().Value), one)
	}
	return errs
}

// mapping returns the keys and values of a node.
func mapping(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i, f := range slices.Collect(v.Type().Fields()) {
		if f.Tag.Get("yaml") == key {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		keys = append(keys, f.Tag.Get("yaml"))
	}
	return keys
}

// sample is a key of a mapping, as it would be written.
func sample(t reflect.Type) string { return keysOf(t)[0] + ": …" }

// meant suggests the key, or the command, that is most like name.
func meant(name string, keys []string) string {
	best := slices.MinFunc(keys, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, best) > (len(name)+2)/3 {
		return fmt.Sprintf(": those here are %s", strings.Join(keys, ", "))
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// distance is how many letters must be changed, added or removed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
