/* save.h - a report's file. */
#pragma once
#include <stddef.h>

/* Writes the file whole or not at all; 0 or the exit status, told. */
int save_file(const char *path, const char *bytes, size_t size);
