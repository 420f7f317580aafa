{{ config(materialized='incremental', unique_key='sale_id') }}

select * from {{ source('shop', 'sales') }}
{% if is_incremental() %}
where sale_id not in (select sale_id from {{ this }}) or amount not in (select amount from {{ this }})
{% endif %}
