"""The record store on the command line: keys; statements out and in."""
