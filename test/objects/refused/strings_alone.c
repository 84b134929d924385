/* build.sh takes its symbols' strings away: nothing else is wrong, and no function is there to be named. */
#include "../include/bpf.h"
LICENSE;
