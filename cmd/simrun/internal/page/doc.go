// Package page makes web pages of what runs of the simulator found: one of a
// single trace, drawn in lanes, and one of a whole run. A page is one file that
// asks for nothing else, so that it works from a disk and as an attachment.
//
// What is drawn where is decided here and is plain data (Chart); the script of
// the page turns it into shapes. So it can be tested without a browser.
package page
