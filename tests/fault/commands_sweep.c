/* A sample of what commands_sweep_all.c does in full. */
#include "fault/sweep.h"

enum { RUNS = 12 };

int main(void)
{
    return sweep_all(RUNS);
}
