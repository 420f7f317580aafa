{#
    Materialization `partitioned`: a table partitioned by range of a date, where only the partitions whose source
    changed are built again, each outside the tree and exchanged in a transaction of its own.

    Config:
    - partition_by: {fields: [column], granularity: day | week | month | quarter | year}
    - indexes: see `parse_indexes`
    - ignores_changes_of: see `upstream_versions`
    - also_rebuild: name of a macro that gets the relation and returns SQL with a column `lower`: dates whose partitions
      are built although no version changed; or nothing
    - publish_check: name of a macro, see `build_partition`: what is built may still not be published
    - partition_window: [from, to] ISO dates; a period outside stops the run before anything is made
    Vars: rebuild_range: [from, to] ISO dates, to build again by hand. `--full-refresh` builds every partition again;
    even then nothing is dropped that a reader may hold.

    Transactions: two per partition, one builds and one publishes, so the publishing one holds no lock of the building
    one. What is finished stays when a later partition fails, and the next run goes on from there. Run twice it builds
    nothing.
#}
{% materialization partitioned, adapter='postgres' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- do pg_lifecycle.require_contract() -%}
    {%- set partitioning = pg_lifecycle.parse_partition_by(config.get('partition_by')) -%}
    {%- set indexes = pg_lifecycle.parse_indexes(config.get('indexes')) -%}
    {%- set constraints = pg_lifecycle.contract_constraints(relation.identifier) -%}
    {%- if 'partition_filter: ' not in sql -%}
        {%- do pg_lifecycle.refuse(
            'SQL', 'no partition_filter', "where {{ pg_lifecycle.partition_filter('" ~ partitioning.column
            ~ "') }} at every table that is read by period"
        ) -%}
    {%- endif -%}
    {%- set upstream = pg_lifecycle.upstream_versions(model, sql) -%}
    {%- set definition = pg_lifecycle.hash_sql(sql) -%}
    {%- do pg_lifecycle.begin_model(relation, sql) -%}

    {%- set changes = pg_lifecycle.compare_parent(relation, partitioning, constraints, indexes) -%}
    {%- if changes -%}
        {%- do pg_lifecycle.run_in_transaction('schema', changes) -%}
    {%- endif -%}

    {%- set plan = pg_lifecycle.plan_partitions(
        pg_lifecycle.read_plan(relation, partitioning, upstream, config.get('also_rebuild'), sql),
        definition,
        full_refresh=should_full_refresh(),
        rebuild_range=pg_lifecycle.parse_date_range('var rebuild_range', var('rebuild_range', none)),
        window=pg_lifecycle.parse_date_range('partition_window', config.get('partition_window')),
        retained_from=pg_lifecycle.read_state(relation).get('retained_from')
    ) -%}
    {%- set refused = plan | selectattr('action', 'equalto', 'refuse') | list -%}
    {%- if refused -%}
        {%- do exceptions.raise_compiler_error(pg_lifecycle.refuse_message(relation, refused)) -%}
    {%- endif -%}
    {%- set to_build = plan | selectattr('action', 'equalto', 'build') | list -%}
    {%- do pg_lifecycle.log_decision(relation, to_build | length ~ ' of ' ~ plan | length ~ ' partitions to build') -%}

    {%- do pg_lifecycle.drop_leftovers(relation) -%}
    {%- for partition in to_build -%}
        {%- set new = pg_lifecycle.beside(relation, pg_lifecycle.new_name(partition.name)) -%}
        {%- set published = pg_lifecycle.beside(relation, partition.name) -%}
        {%- do pg_lifecycle.log_decision(published, 'build, ' ~ partition.reason) -%}
        {%- do pg_lifecycle.run_in_transaction('build', pg_lifecycle.build_partition(
            relation, new, partition.name, partition.lower, partition.upper, partitioning, sql, constraints, indexes
        )) -%}
        {%- do pg_lifecycle.run_in_transaction('exchange', pg_lifecycle.exchange_partition(
            relation, new, partition.name, partition.existing_name, partition.lower, partition.upper, partitioning,
            constraints, indexes, pg_lifecycle.state_sql(partition.sources, definition, 'select count(*) from ' ~ new)
        )) -%}
    {%- endfor -%}

    {%- do pg_lifecycle.finish_model(relation, 'table', pg_lifecycle.analyze_parent(relation, to_build | length)) -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
