{#
    SQL that publishes a built partition, in a transaction of its own: foreign keys, then one short exchange.

    Locks: SHARE ROW EXCLUSIVE on the referenced tables (writers of dimensions wait) while the keys are checked (on a
    cluster these locks are the shards' own, asked for by each key); then
    ACCESS EXCLUSIVE on the referenced tables (ATTACH merges the keys' triggers into the parent's) and, where an old
    partition goes, on the parent, held only for catalog changes. All of them by `retry_locks`. The parent keeps its
    OID, so views, materialized views, foreign keys and grants survive.

    The workers of a cluster commit one after the other. Where a partition is dropped, every shard of the parent is
    locked until its worker has committed, and readers wait that long. ATTACH alone lets them go on, who would see the
    month of some workers and not of others: setting what is NOT NULL already to NOT NULL changes nothing, and locks
    every shard likewise.
#}
{% macro exchange_partition(
    parent, new, name, existing_name, lower, upper, partitioning, constraints, indexes, state_sql
) %}
{%- set placement = pg_lifecycle.placement_of(model) -%}
{%- set foreign_keys = constraints | selectattr('kind', 'equalto', 'foreign_key') | list -%}
{%- set referenced = foreign_keys | map(attribute='to') | unique | list -%}
{%- set published = pg_lifecycle.beside(parent, name) -%}
{%- set keys = constraints | selectattr('kind', 'in', ['primary_key', 'unique']) | list -%}
{%- if referenced %}
{{ pg_lifecycle.retry_locks(name, 'lock table ' ~ referenced | join(', ') ~ ' in share row exclusive mode;') }}
{{ pg_lifecycle.explain_violations(
    new, name, constraints, ['foreign_key'], pg_lifecycle.constraint_statements(new, foreign_keys, placement),
    retried=placement.kind != 'local'
) }}
{%- endif %}

{% set exchange -%}
            {%- if referenced %}
            lock table only {{ referenced | join(', only ') }} in access exclusive mode;
            {%- endif %}
            {%- if existing_name %}
            lock table only {{ parent }} in access exclusive mode;
            drop table {{ pg_lifecycle.beside(parent, existing_name) }};
            {%- elif placement.kind == 'distributed' %}
            lock table only {{ parent }} in access exclusive mode;
            alter table {{ parent }} alter column {{ adapter.quote(partitioning.column) }} set not null;
            {%- endif %}
            alter table {{ parent }} attach partition {{ new }} for values from ('{{ lower }}') to ('{{ upper }}');
            alter table {{ new }} drop constraint {{ adapter.quote(pg_lifecycle.bound_name(new)) }};
            alter table {{ new }} rename to {{ adapter.quote(name) }};
            {%- set final_names = pg_lifecycle.constraints_of_partition(published, keys) %}
            {%- for key in pg_lifecycle.constraints_of_partition(new, keys) %}
            {{ pg_lifecycle.rename_index(parent, key.name, final_names[loop.index0].name) }}
            {%- endfor %}
            {%- for index in indexes %}
            {{ pg_lifecycle.rename_index(
                parent, pg_lifecycle.index_name(new.identifier, index), pg_lifecycle.index_name(name, index)
            ) }}
            {%- endfor %}
{%- endset %}
{{ pg_lifecycle.comment_with_state('table', new, model.description, state_sql) }}
{{ pg_lifecycle.retry_locks(name, exchange) }}
{% endmacro %}
