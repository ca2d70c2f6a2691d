/* `report`: one HTML page and its figures out of a run folder. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/files.h"
#include "commands/command.h"
#include "report/report.h"

static status print_json(context *c, const char *path, const report_result *result)
{
    json_t *missing = json_array(), *object = NULL;
    for (int i = 0; i < result->missing; i++) json_array_append_new(missing, json_string(result->missing_file[i]));
    object = json_pack("{s:s, s:i, s:i, s:o, s:s}", "report", path, "figures", result->figures, "pictures",
                       result->pictures, "missing", missing, "trouble", result->trouble);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
    json_decref(object);
    if (!text)
        return context_fail(c, STATUS_FAILURE, "report: %s: cannot be said in JSON (the path is not UTF-8)", path);
    puts(text);
    free(text);
    return STATUS_OK;
}

status command_report(context *c, const command_line *line)
{
    char path[FILES_PATH];
    report_result result;
    if (line->count != 1)
        return context_fail(c, STATUS_USAGE, "report: name one run folder: cosmocl report runs/quick2d");
    status s =
        line->out ? files_path(c, path, "%s", line->out) : files_path(c, path, "%s/report.html", line->argument[0]);
    if (!s) s = report_write(c, line->argument[0], path, &result);
    if (s) return s;
    if (line->json) return print_json(c, path, &result);
    log_info(c, "%d figures in %s/figures", result.figures + result.pictures, line->argument[0]);
    for (int i = 0; i < result.missing; i++) log_info(c, "not in this run: %s", result.missing_file[i]);
    printf("%s\n", path);
    return STATUS_OK;
}
