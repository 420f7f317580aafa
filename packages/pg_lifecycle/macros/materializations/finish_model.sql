{#
    How every materialization here ends: `sql` as its last transaction, which waits for the disk and so makes all before
    it durable, then comments and grants where they differ, the lock given back, hooks. kind: as in COMMENT ON.
#}
{% macro finish_model(relation, kind, sql) %}
    {%- do pg_lifecycle.run_in_transaction('main', sql ~ '\n select 1;', synchronous=true) -%}
    {%- set documentation = pg_lifecycle.document_relation(relation, kind) -%}
    {%- if documentation -%}
        {%- do pg_lifecycle.run_in_transaction('documentation', documentation, synchronous=true) -%}
    {%- endif -%}
    {%- do pg_lifecycle.unlock_model(relation) -%}
    {%- do run_hooks(post_hooks, inside_transaction=False) -%}
{% endmacro %}
