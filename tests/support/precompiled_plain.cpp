// Empty: a library needs a source file to have its headers compiled.
