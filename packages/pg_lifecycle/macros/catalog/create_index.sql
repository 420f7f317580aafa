{#
    SQL that creates a parsed index and marks it as made here: `reconcile_indexes` drops only marked ones. name: as
    `index_name` gives it, unless told. Takes SHARE on the table: readers do not notice, writers wait.
#}
{% macro create_index(table, index, name=none) %}
{%- set name = name or pg_lifecycle.index_name(table.identifier, index) -%}
{{ pg_lifecycle.alone(
    'create ' ~ ('unique ' if index.unique else '') ~ 'index ' ~ adapter.quote(name) ~ ' on ' ~ table ~ ' ' ~ index.sql
    ~ ';'
) }}
comment on index {{ pg_lifecycle.beside(table, name) }} is 'dbt_index: {{ index.hash }}';
{% endmacro %}
