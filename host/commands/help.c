/* --help and the completion script, both from the table. */
#include <stdio.h>
#include <string.h>

#include "base/embedded.h"
#include "base/options.h"
#include "commands/command.h"

enum { COLUMN = 26 };

static void print_flag(const char *letter, const char *name, const char *argument, const char *help, const char *value)
{
    char left[96];
    snprintf(left, sizeof left, "%s%s--%s%s%s", letter ? letter : "", letter ? ", " : "", name, argument ? " " : "",
             argument ? argument : "");
    printf("  %-*s", COLUMN, left);
    if (strlen(left) >= COLUMN) printf("\n  %-*s", COLUMN, "");
    printf(" %s", help);
    if (value) printf(" (default %s)", value);
    printf("\n");
}

static void print_shared(void)
{
    for (const shared_flag *f = shared_flags; f->name; f++) print_flag(f->letter, f->name, f->argument, f->help, NULL);
}

/* Commands that the table knows and this build does not have. */
static void print_unbuilt(void)
{
    int count = 0;
    for (const command_row *r = command_rows; r->name; r++)
        if (!r->run) printf("%s%s", count++ ? ", " : "\nNot in this build: ", r->name);
    if (count) printf("\n");
}

void help_overview(void)
{
    printf("usage: cosmocl COMMAND [ARGUMENT...] [FLAG...]\n\n"
           "Trains generative networks on maps of the cosmic web on any OpenCL device, and does all around it:\n"
           "simulation, density maps, training, selection, inference, statistics, report.\n");
    const char *group = "";
    for (const command_row *r = command_rows; r->name; r++) {
        if (!r->run) continue;
        if (strcmp(group, r->group) != 0) printf("\n%s\n", r->group);
        group = r->group;
        printf("  %-*s %s\n", COLUMN - 6, r->name, r->summary);
    }
    print_unbuilt();
    printf("\nFlags of every command\n");
    print_shared();
    printf("\nExit codes: 0 ok, 1 failure, 2 usage, 3 device, 4 memory, 5 self-test, 6 data, 75 stopped and can be\n"
           "resumed, 130 interrupted.\n"
           "`cosmocl COMMAND --help` tells more of a command, `cosmocl config explain` of the configuration.\n");
}

void help_command(const command_row *row)
{
    printf("usage: cosmocl %s%s%s [FLAG...]\n\n%s%s\n", row->name, row->arguments[0] ? " " : "", row->arguments,
           row->summary, row->run ? "" : " (not in this build)");
    if (row->flags[0].name) {
        printf("\nFlags of this command\n");
        for (int i = 0; i < COMMAND_FLAGS && row->flags[i].name; i++) {
            const command_flag_row *f = &row->flags[i];
            print_flag(NULL, f->name, f->argument, f->help, f->value);
        }
    }
    printf("\nFlags of every command\n");
    print_shared();
    if (row->sections[0])
        printf("\nConfiguration: reads %s%s (`cosmocl config explain`)\n",
               strcmp(row->sections, "all") == 0 ? "all sections" : "the sections ",
               strcmp(row->sections, "all") == 0 ? "" : row->sections);
    printf("\nExample: %s\n", row->example);
}

static void print_words_of_commands(void)
{
    printf("    case \"$command\" in\n");
    for (const command_row *r = command_rows; r->name; r++) {
        if (!r->run) continue;
        printf("    \"%s\") flags=\"", r->name);
        for (int i = 0; i < COMMAND_FLAGS && r->flags[i].name; i++) printf("--%s ", r->flags[i].name);
        printf("\" ;;\n");
    }
    printf("    esac\n");
}

void help_completion_bash(void)
{
    const command_row *last = NULL;
    printf(
        "# bash completion of cosmocl: source it, or put it into ~/.local/share/bash-completion/completions/cosmocl\n"
        "_cosmocl() {\n"
        "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" flags=\"\"\n"
        "    local command=\"${COMP_WORDS[1]}\" commands=\"\" seconds=\"\" keys=\"\" presets=\"\"\n"
        "    commands=\"");
    for (const command_row *r = command_rows; r->name; r++) {
        if (!r->run) continue;
        int n = (int)strcspn(r->name, " ");
        bool again = last && strncmp(r->name, last->name, (size_t)n) == 0 && (last->name[n] == ' ' || !last->name[n]);
        if (!again) printf("%.*s ", n, r->name);
        last = r;
    }
    printf("\"\n    case \"$command\" in\n");
    for (const command_row *r = command_rows; r->name; r++) {
        const char *space = strchr(r->name, ' ');
        if (space && r->run) printf("    %.*s) seconds+=\"%s \" ;;&\n", (int)(space - r->name), r->name, space + 1);
    }
    printf("    esac\n"
           "    if [[ \" $seconds\" == *\" ${COMP_WORDS[2]} \"* && -n \"${COMP_WORDS[2]}\" ]]; then command+=\" "
           "${COMP_WORDS[2]}\"; fi\n");
    print_words_of_commands();
    printf("    flags+=\"");
    for (const shared_flag *f = shared_flags; f->name; f++) printf("--%s ", f->name);
    printf("\"\n    keys=\"");
    for (int i = 0; i < options_count; i++) printf("%s= ", options[i].key);
    printf("\"\n    presets=\"");
    for (const embedded_file *f = embedded_files; f->name; f++)
        if (strncmp(f->name, "data/presets/", 13) == 0)
            printf("%.*s ", (int)(strlen(f->name) - 13 - strlen(".ini")), f->name + 13);
    printf(
        "\"\n"
        "    if [[ $before == --set ]]; then compopt -o nospace; COMPREPLY=($(compgen -W \"$keys\" -- \"$word\"))\n"
        "    elif [[ $before == --preset || $before == pipeline ]]; then COMPREPLY=($(compgen -W \"$presets\" -- "
        "\"$word\"))\n"
        "    elif [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
        "    elif [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
        "    elif [[ $COMP_CWORD == 2 && -n $seconds ]]; then COMPREPLY=($(compgen -f -W \"$seconds\" -- \"$word\"))\n"
        "    else COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
        "}\n"
        "complete -o filenames -F _cosmocl cosmocl\n");
}
