/* What `cosmocl doctor` asks of the device layer: does a device compute at all, and what is known of it. */
#ifndef DEVICE_HEALTH_H
#define DEVICE_HEALTH_H

#include "device/device.h"

typedef struct {
    double build_s;  /* building and first launch of the check kernels */
    double run_s;    /* running them again */
    int checks;      /* results compared */
    double fma_cost; /* time of fused multiply-adds over that of products and sums: 1 or less, or many where it is
                        emulated */
} health_result;

/* Builds kernels/selfcheck.cl in three vector widths, runs it and compares with plain C bit by bit. STATUS_SELFTEST
 * names the kernel, the element and both values; STATUS_DEVICE and STATUS_MEMORY as they come. */
status health_check(context *c, device *d, health_result *r);

/* What the folder `cache` holds of built kernels. */
typedef struct {
    int files, stale, damaged; /* stale: of none of the devices and drivers listed */
    double stale_bytes;
} health_cache;
status health_cache_survey(context *c, const char *cache, const device_record *list, int count, health_cache *out);

/* Why of one quirk of a record's list; "" if unknown. */
void health_quirk_why(const char *quirk, char *why, size_t size);
/* What is known of display and accelerator cards by PCI vendor ("0x10de"): the short vendor name and the packages that
 * bring its OpenCL driver. False if nothing is. */
bool health_card(const char *pci_vendor, char *vendor, size_t vendor_size, char *package, size_t package_size);
/* Whether a device is of the vendor with this short name ("amd"). */
bool health_vendor_matches(const char *vendor, const device_record *r);

#endif
