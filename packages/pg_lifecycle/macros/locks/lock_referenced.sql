{#
    SQL that takes, at the beginning of a transaction, the locks that new foreign keys need: SHARE ROW EXCLUSIVE on the
    tables that they refer to, all at once by `retry_locks`; empty if there are none.

    A foreign key takes them one after the other and waits as long as it takes, with what it has in its hands: half of a
    deadlock with another model's exchange, which PostgreSQL does not see, because the other half waits for milliseconds
    at a time. The short waits end with the locks: what follows may wait for a reader's moment.
#}
{% macro lock_referenced(relation, constraints) %}
    {%- set referenced = constraints | selectattr('kind', 'equalto', 'foreign_key') | map(attribute='to') | unique
        | list -%}
    {%- if referenced %}
{{ pg_lifecycle.retry_locks(
    relation.render(), 'lock table only ' ~ referenced | join(', only ') ~ ' in share row exclusive mode;'
) }}
{{ pg_lifecycle.alone('set local lock_timeout to default;') }}
    {%- endif %}
{% endmacro %}
