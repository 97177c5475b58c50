//go:build unix

package hostos

import "syscall"

// readable reports whether a read from a socket would return at once. Sockets
// of package net do not block, so neither does this.
func readable(fd uintptr) bool {
	var b [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		return true // A byte, the end (0), or an error that a read would return.
	}
}
