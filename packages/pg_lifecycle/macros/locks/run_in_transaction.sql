{#
    Runs SQL text as one transaction of its own, in one round trip. It commits without waiting for the disk: the last
    statement of a materialization commits normally and so makes all before it durable; a crash in between loses whole
    transactions, which the next run does again. On a cluster it waits: workers commit for good what the coordinator
    would have lost.

    dbt's connection is in a transaction already, in which the catalog and, to compare a contract, what the model reads
    were asked: it ends first, so that no lock of it is held while the statements wait for theirs. On a cluster the
    transaction touches the workers as `one_connection_per_worker` says.
#}
{% macro run_in_transaction(name, sql, synchronous=false) %}
    {%- call statement(name, auto_begin=False) -%}
commit;
begin;
        {%- if not (synchronous or pg_lifecycle.is_citus()) %}
set local synchronous_commit = off;
        {%- endif %}
{{ pg_lifecycle.one_connection_per_worker() }}
{{ sql }}
-- The one place where a materialization commits.
commit;
    {%- endcall -%}
{% endmacro %}
