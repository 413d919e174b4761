/* tests/counted.h - how much of a file is read: hki_files.read = counting_read. */
#pragma once
#include <unistd.h>

#include "io/io.h"

static size_t bytes_read;

static ssize_t counting_read(int fd, void *buffer, size_t size)
{
    const ssize_t got = read(fd, buffer, size);
    bytes_read += got > 0 ? (size_t)got : 0;
    return got;
}
