{#
    SQL that renews the statistics of a partitioned table as a whole, which autovacuum never gathers; empty where they may
    wait. Its partitions have their own from `build_partition`.

    PostgreSQL 18 samples the tree once (ANALYZE ONLY). Before 18, ANALYZE of the parent analyses every partition too, so
    one more day would cost the whole history: there it waits until a tenth of the partitions was built in one run, which
    includes the first. Takes SHARE UPDATE EXCLUSIVE: readers and writers do not notice.
#}
{% macro analyze_parent(relation, built, total) %}
    {%- if built == 0 -%}
        {{- return('') -}}
    {%- elif run_query("select current_setting('server_version_num')::integer as version")[0]['version'] >= 180000 -%}
        {{- return('analyze only ' ~ relation ~ ';') -}}
    {%- elif built * 10 >= total -%}
        {{- return('analyze ' ~ relation ~ ';') -}}
    {%- else -%}
        {{- return('') -}}
    {%- endif -%}
{% endmacro %}
