{# The granularities on offer: the length of a period as an interval, and the end of a partition's name (to_char). #}
{% macro partition_granularities() %}
    {{- return({
        'day': {'step': '1 day', 'suffix': 'YYYYMMDD'},
        'week': {'step': '1 week', 'suffix': 'IYYY"w"IW'},
        'month': {'step': '1 month', 'suffix': 'YYYYMM'},
        'quarter': {'step': '3 months', 'suffix': 'YYYY"q"Q'},
        'year': {'step': '1 year', 'suffix': 'YYYY'},
    }) -}}
{% endmacro %}
