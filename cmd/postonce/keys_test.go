package main

import "reflect"

// yamlKeys lists every key that a configuration may have.
func yamlKeys() []string {
	var keys []string
	var add func(reflect.Type)
	add = func(t reflect.Type) {
		for f := range t.Fields() {
			key, ok := f.Tag.Lookup("yaml")
			if !ok {
				continue
			}
			keys = append(keys, key)
			if f.Type.Kind() == reflect.Struct {
				add(f.Type)
			}
		}
	}
	add(reflect.TypeFor[config]())
	return keys
}
