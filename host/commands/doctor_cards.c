/* cosmocl doctor: cards without a driver, and files nobody may open. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "commands/doctor.h"

/* First word of a file of sysfs; "" if there is none. */
static void sysfs_word(const char *folder, const char *card, const char *name, char *word, size_t size)
{
    char path[FILES_PATH];
    word[0] = 0;
    if (snprintf(path, sizeof path, "%s/%s/%s", folder, card, name) >= (int)sizeof path) return;
    FILE *f = fopen(path, "r");
    if (f && fgets(word, (int)size, f)) word[strcspn(word, " \r\n")] = 0;
    if (f) fclose(f);
}

/* Display controllers (class 0x03) and processing accelerators (0x12) whose vendor has no GPU in the list.
 * $COSMOCL_PCI_DEVICES stands for the folder in tests. */
static void check_cards(doctor *d)
{
    const char *other = getenv("COSMOCL_PCI_DEVICES"), *folder = other ? other : "/sys/bus/pci/devices";
    struct dirent **names = NULL;
    const int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char class[32], id[32], model[32], vendor[32], package[256], mend[512];
        sysfs_word(folder, names[i]->d_name, "class", class, sizeof class);
        sysfs_word(folder, names[i]->d_name, "vendor", id, sizeof id);
        sysfs_word(folder, names[i]->d_name, "device", model, sizeof model);
        if ((!strncmp(class, "0x03", 4) || !strncmp(class, "0x12", 4)) &&
            health_card(id, vendor, sizeof vendor, package, sizeof package)) {
            bool seen = false;
            for (int k = 0; k < d->count; k++)
                seen = seen || (d->list[k].is_gpu && health_vendor_matches(vendor, &d->list[k]));
            snprintf(mend, sizeof mend, "install its OpenCL driver: %s%s", package,
                     d->container ? ", in the image, and start the container with the card (--gpus all; --device "
                                    "/dev/dri --device /dev/kfd)"
                                  : "");
            if (!seen)
                doctor_find(d, NOTE, "card", mend, "a card of %s (PCI %s, %s:%s) has no OpenCL device", vendor,
                            names[i]->d_name, id, model);
        }
        free(names[i]);
    }
    free(names);
}

/* Who may open a device file, and how to be one of them. */
static void check_node(doctor *d, const char *path)
{
    char mend[512];
    struct stat info;
    if (!access(path, R_OK | W_OK) || errno == ENOENT) return;
    const char *why = strerror(errno);
    const bool known = !stat(path, &info);
    const struct group *owner = known ? getgrgid(info.st_gid) : NULL;
    if (d->container && known)
        snprintf(mend, sizeof mend, "start the container with --group-add %u", info.st_gid);
    else
        snprintf(mend, sizeof mend, "sudo usermod -aG %s $USER, then log in again", owner ? owner->gr_name : "render");
    doctor_find(d, NOTE, "permission", mend, "%s: %s", path, why);
}

/* $COSMOCL_DEV stands for /dev in tests. */
static status check_nodes(doctor *d)
{
    const char *other = getenv("COSMOCL_DEV"), *dev = other ? other : "/dev";
    char folder[FILES_PATH], path[FILES_PATH];
    status s = files_path(d->c, folder, "%s/dri", dev);
    struct dirent **names = NULL;
    const int n = s ? 0 : scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (!s && !strncmp(names[i]->d_name, "renderD", 7)) {
            s = files_path(d->c, path, "%s/%s", folder, names[i]->d_name);
            if (!s) check_node(d, path);
        }
        free(names[i]);
    }
    free(names);
    if (!s) s = files_path(d->c, path, "%s/kfd", dev);
    if (!s) check_node(d, path);
    return s;
}

status doctor_cards(doctor *d)
{
    check_cards(d);
    return check_nodes(d);
}
