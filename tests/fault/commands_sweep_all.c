/* Every allocation, every call into OpenCL and every step of writing of the commands fails, one after the other. */
#include "fault/sweep.h"

int main(void)
{
    return sweep_all(0);
}
