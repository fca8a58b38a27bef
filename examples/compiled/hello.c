/* A program without a C library: two system calls of Linux on x86-64. */

static long call(long number, long one, long two, long three) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(one), "S"(two), "d"(three) : "rcx", "r11", "memory");
    return result;
}

void _start(void) {
    static const char text[] = "Built twice, the same bits.\n";
    call(1, 1, (long)text, sizeof text - 1);
    call(60, 0, 0, 0);
}
