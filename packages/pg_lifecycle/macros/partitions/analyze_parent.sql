{#
    SQL that renews the statistics of a partitioned table as a whole, which autovacuum never gathers; empty where they
    may wait. Its partitions have their own from `build_partition`. built: how many this run built.

    PostgreSQL 18 samples the tree once (ANALYZE ONLY). The sample is a tenth of the usual (the statistics target is
    that of the transaction): its rows lie all over the tree, one to a page, so reading them is what costs; and what is
    in a partition, the partition's own statistics say. Before 18, ANALYZE of the parent analyses every partition too,
    so one more day would cost the whole history: there it waits until a tenth of the partitions was built since it was
    last analysed, autovacuum's share for a table. Takes SHARE UPDATE EXCLUSIVE: readers and writers do not notice.
#}
{% macro analyze_parent(relation, built) %}
    {%- if built == 0 -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set command_query -%}
        select case
            when current_setting('server_version_num')::integer >= 180000
                then 'analyze only'
            when (
                select count(*) filter (
                    where last_analyze is null
                    or state ->> 'version' > {{ pg_lifecycle.version_at('last_analyze') }}
                ) * 10 >= count(*)
                from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
            ) then 'analyze'
        end as command
        from pg_catalog.pg_stat_all_tables
        where relid = {{ pg_lifecycle.oid_of(relation) }}
    {%- endset -%}
    {%- set command = run_query(command_query)[0]['command'] -%}
    {%- set small_sample = pg_lifecycle.alone('set local default_statistics_target = 10;')
        if command == 'analyze only' else '' -%}
    {{- return(small_sample ~ ' ' ~ command ~ ' ' ~ relation ~ ';' if command else '') -}}
{% endmacro %}
