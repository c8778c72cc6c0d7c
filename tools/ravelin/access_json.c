/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The access matrix as data, from the same function as the printed one.
 */
#include "access_json.h"

#include <string.h>

static const struct {
    uint32_t right;
    const char *name;
} rights[] = {
    {ACCESS_SELF, "self"},
    {ACCESS_CONTROL, "control"},
    {ACCESS_MONITOR, "monitor"},
    {ACCESS_MESSAGE, "message"},
    {ACCESS_MESSAGE_SOME, "message-some"},
    {ACCESS_HARDWARE, "hardware"},
    {ACCESS_FIREWALL, "firewall"},
};

static json_t *names_of(uint32_t mask)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
        if ((mask & rights[i].right) != 0) {
            json_array_append_new(list, json_string(rights[i].name));
        }
    }
    return list;
}

json_t *roles_json(uint32_t roles)
{
    const struct manifest_field_info *f =
        manifest_field_lookup(MANIFEST_F_ROLES);
    json_t *list = json_array();

    for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
        if ((roles & w->value) != 0) {
            json_array_append_new(list, json_string(w->word));
        }
    }
    return list;
}

uint32_t roles_read(const json_t *names)
{
    const struct manifest_field_info *f =
        manifest_field_lookup(MANIFEST_F_ROLES);
    uint32_t roles = 0;

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));

        for (const struct manifest_word *w = f->words; w->word != NULL; w++) {
            if (name != NULL && strcmp(name, w->word) == 0) {
                roles |= (uint32_t)w->value;
            }
        }
    }
    return roles;
}

json_t *access_json(const struct manifest *m)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < m->domain_count; i++) {
        const struct manifest_domain *d = &m->domain[i];
        json_t *over = json_object();

        for (uint32_t j = 0; j < m->domain_count; j++) {
            json_object_set_new(over, m->domain[j].name,
                                names_of(access_matrix_rights(m, i, j)));
        }
        json_array_append_new(
            all,
            json_pack("{s:s, s:i, s:o, s:o, s:o}", "name", d->name, "domid",
                      (int)d->domid, "roles", roles_json(d->roles), "machine",
                      names_of(access_machine_rights(d->roles)), "rights",
                      over));
    }
    return all;
}
