{#
    SQL that publishes a built partition, in a transaction of its own: foreign keys, then one short exchange.

    Locks: SHARE ROW EXCLUSIVE on the referenced tables (writers of dimensions wait) while the keys are checked; then
    ACCESS EXCLUSIVE on the referenced tables (ATTACH merges the keys' triggers into the parent's) and, where an old
    partition goes, on the parent, held only for catalog changes. All of them by `retry_locks`. The parent keeps its OID,
    so views, materialized views, foreign keys and grants survive.
#}
{% macro exchange_partition(parent, new, name, existing_name, lower, upper, partitioning, constraints, indexes, state_sql) %}
{%- set referenced = constraints | selectattr('kind', 'equalto', 'foreign_key') | map(attribute='to') | unique | list -%}
{%- set schema = parent.include(database=false, identifier=false) -%}
{%- if referenced %}
{{ retry_locks(name, 'lock table ' ~ referenced | join(', ') ~ ' in share row exclusive mode;') }}
{{ add_constraints_or_explain(new, name, constraints, ['foreign_key']) }}
{%- endif %}

{% set exchange -%}
            {%- if referenced %}
            lock table only {{ referenced | join(', only ') }} in access exclusive mode;
            {%- endif %}
            {%- if existing_name %}
            lock table only {{ parent }} in access exclusive mode;
            drop table {{ schema }}.{{ existing_name }};
            {%- endif %}
            alter table {{ parent }} attach partition {{ new }} for values from ('{{ lower }}') to ('{{ upper }}');
            alter table {{ new }} drop constraint {{ _bound_name(new) }};
            alter table {{ new }} rename to {{ name }};
            {%- for constraint in _named_for_partition(new, constraints) if constraint.kind in ('primary_key', 'unique') %}
            alter index {{ schema }}.{{ constraint.name }} rename to {{ shorten_name(constraint.name | replace(new.identifier, name)) }};
            {%- endfor %}
            {%- for index in indexes %}
            alter index {{ schema }}.{{ index_name(new.identifier, index) }} rename to {{ index_name(name, index) }};
            {%- endfor %}
{%- endset %}
{{ comment_with_state('table', new, model.description, state_sql) }}
{{ retry_locks(name, exchange) }}
{% endmacro %}
