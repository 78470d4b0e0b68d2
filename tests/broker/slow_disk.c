/* Makes every flush of a disk take 0.3 s more while the file named by SLOW_DISK is there: LD_PRELOAD it to a broker. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowly(const char *name, int file) {
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *mark = getenv("SLOW_DISK");
    if (mark && access(mark, F_OK) == 0)
        usleep(300000);
    return flush(file);
}

int fdatasync(int file) { return slowly("fdatasync", file); }
int fsync(int file) { return slowly("fsync", file); }
