{#
    Stops a run that asks dbt to read none or a sample of the rows: `--empty`, `--sample`. What it built would replace
    what people read, in the relations that they read. Each materialization here asks; as an on-run-start hook it stops
    the run before anything was changed, seeds included.

    `dbt clone` into the schema that it clones from would make each view read itself: stopped as well.
#}
{% macro refuse_partial_rows() %}
    {%- for option in ('empty', 'sample') if execute and pg_lifecycle.option_of_run(option) -%}
        {%- do pg_lifecycle.refuse_operation(
            '--' ~ option ~ ': this project keeps its relations in place and never publishes a part of the rows.'
            ~ ' Nothing was changed. Whether the SQL compiles: dbt compile. Whether it computes what it should:'
            ~ ' dbt test --select test_type:unit. A small database of your own: a build in a schema or target of yours.'
        ) -%}
    {%- endfor -%}
    {%- if execute and flags.WHICH == 'clone' and defer_relation and defer_relation.render() == this.render() -%}
        {%- do pg_lifecycle.refuse_operation(
            'clone: ' ~ this.render() ~ ' would be a clone of itself. Nothing was changed. Clone into a schema of'
            ~ ' your own, from the manifest of the one that is cloned (--state).'
        ) -%}
    {%- endif -%}
{% endmacro %}
