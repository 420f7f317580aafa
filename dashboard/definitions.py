"""The definition of each figure in Spanish, and the published column that it stands on.

The data dictionary's own text is read from the database, where dbt keeps it as the column's
comment.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """What a figure means.

    Attributes:
        label: Its name.
        text: What it is and how it is computed.
        relation: In schema retail.
        column: Of the relation, whose comment is shown too.
    """

    label: str
    text: str
    relation: str = ""
    column: str = ""


_SALES = "agg_ventas_dia_tienda"

DEFINITIONS = {
    "total_ventas": Definition(
        "Ventas",
        "Lo pagado en caja, con IVA y después de descuentos, antes de devoluciones.",
        _SALES,
        "total_ventas",
    ),
    "numero_tickets": Definition(
        "Tickets",
        "Compras distintas. Un ticket pertenece a una tienda, un día y un canal.",
        _SALES,
        "numero_tickets",
    ),
    "ticket_promedio": Definition(
        "Ticket promedio",
        "Ventas entre tickets, sumados primero ambos: nunca es un promedio de promedios.",
        "mv_daily_store_sales",
        "ticket_promedio",
    ),
    "mismas_tiendas": Definition(
        "Mismas tiendas",
        "Crecimiento de las tiendas que se pueden comparar: ese día y 364 días antes estaban "
        "abiertas, sin obras, y ya habían pasado su mes de apertura. Se suman primero ambos lados. "
        "(1 + tráfico) × (1 + ticket) = 1 + crecimiento.",
        "mv_daily_store_sales",
        "es_mismas_tiendas",
    ),
    "ventas_m2": Definition(
        "Ventas por m²",
        "Ventas entre metros cuadrados de venta y días abiertos del periodo.",
        "dim_tienda",
        "superficie_m2",
    ),
    "contra": Definition(
        "Contra el año anterior",
        "Días y semanas se comparan con los mismos días de la semana, 364 días antes; el mes y el "
        "año, con las mismas fechas del año anterior y el mismo número de días.",
        "dim_calendario",
        "fecha_comparable",
    ),
    "plan": Definition(
        "Plan",
        "Venta del mismo día del año anterior (o del mismo día del evento) por las metas de "
        "tráfico y ticket de la cadena vigentes ese día; el margen, por su meta. Una tienda sin "
        "año anterior se planea por sus metros cuadrados. Metas: seeds/metas_ventas.csv.",
        "mv_plan_ventas",
        "plan_ventas",
    ),
    "aporte": Definition(
        "Aporte al cambio",
        "Ventas del periodo menos ventas del periodo comparable. Los aportes suman el cambio "
        "total.",
        _SALES,
        "total_ventas",
    ),
    "alerta": Definition(
        "Alerta",
        "Estado de un producto en una tienda en la última foto del inventario.",
        "mv_inventory_alerts",
        "alerta_inventario",
    ),
    "stock_actual": Definition(
        "Existencia",
        "Unidades en la última foto del inventario.",
        "mv_inventory_alerts",
        "stock_actual",
    ),
    "dias_inventario": Definition(
        "Días de inventario",
        "Para cuántos días alcanza la existencia a la demanda diaria.",
        "mv_inventory_alerts",
        "dias_inventario",
    ),
    "madurez": Definition(
        "Madurez",
        "Venta diaria de la tienda nueva entre la de las tiendas maduras de su formato y región (o "
        "de su formato, si en la región no hay), en los mismos días.",
        "mv_aperturas",
        "proporcion_pct",
    ),
    "dinero_en_riesgo": Definition(
        "Dinero en riesgo",
        "Estimación. Sin stock y stock bajo: margen de la demanda que la existencia no atiende "
        "hasta la próxima entrega. Sobrestock: lo que pasa del máximo, al costo. Lo primero se "
        "pierde, lo segundo está parado: no se suman. No trae error estándar.",
        "mv_inventory_alerts",
        "dinero_en_riesgo",
    ),
    "venta_perdida": Definition(
        "Venta perdida al día",
        "Estimación: demanda diaria a precio sin IVA, de lo que está agotado o por agotarse.",
        "mv_inventory_alerts",
        "venta_perdida_diaria",
    ),
    "ventas_perdidas": Definition(
        "Venta perdida",
        "Estimación: lo que no se vendió por falta de existencia, a precio sin IVA.",
        "mv_desempeno_producto",
        "ventas_perdidas",
    ),
    "dias_en_estado": Definition(
        "Días así",
        "Días seguidos en el mismo estado hasta la foto; 91 como máximo.",
        "mv_inventory_alerts",
        "dias_en_estado",
    ),
    "en_camino": Definition(
        "En camino",
        "Unidades pedidas al proveedor que aún no llegan.",
        "mv_inventory_alerts",
        "en_camino",
    ),
    "demanda_diaria": Definition(
        "Demanda al día",
        "Unidades que la tienda vende en un día con existencia: los días vacíos no la bajan.",
        "mv_inventory_alerts",
        "demanda_diaria",
    ),
    "clase": Definition(
        "Clase ABC y XYZ",
        "A: los productos que hacen el primer 80 % de las ventas netas de 364 días; B: hasta 95 %; "
        "C: el resto. X: venta semanal pareja; Y: variable; Z: errática.",
        "mv_desempeno_producto",
        "clase_abc",
    ),
    "gmroi": Definition(
        "GMROI",
        "Margen de un año por cada peso invertido en inventario, al costo medio.",
        "mv_desempeno_producto",
        "gmroi",
    ),
    "rotacion": Definition(
        "Rotación",
        "Vueltas al año: costo de lo vendido, llevado a 364 días, entre inventario medio al costo.",
        "mv_desempeno_producto",
        "rotacion",
    ),
    "sell_through": Definition(
        "Desplazamiento",
        "Unidades vendidas entre existencia inicial más entradas (sell-through).",
        "mv_desempeno_producto",
        "sell_through_pct",
    ),
    "cierre_sin_stock": Definition(
        "Cierres sin stock",
        "Días de producto y tienda que cerraron con el anaquel vacío, de los observados.",
        "mv_desempeno_producto",
        "cierre_sin_stock_pct",
    ),
    "dias_observados": Definition(
        "Días observados",
        "Días de tienda con inventario diario: los que se contaron para los cierres sin stock y la "
        "venta perdida. Una ventana más larga que el inventario diario no tiene más.",
        "mv_desempeno_producto",
        "dias_observados",
    ),
    "devolucion": Definition(
        "Devolución", "Lo devuelto entre las ventas.", "mv_desempeno_producto", "devolucion_pct"
    ),
    "esperados": Definition(
        "Por azar",
        "Tickets con los dos productos que habría si uno no llamara al otro, dentro de canastas "
        "del mismo formato y tamaño.",
        "mv_pares_canasta",
        "esperados",
    ),
    "lift": Definition(
        "Veces", "Tickets juntos entre los esperados por azar.", "mv_pares_canasta", "lift"
    ),
    "confianza": Definition(
        "Con el segundo",
        "De los tickets con el primer producto, los que llevan también el segundo.",
        "mv_pares_canasta",
        "confianza_ab_pct",
    ),
    "z_pares": Definition(
        "z",
        "Cuántas desviaciones estándar pasan los tickets de lo esperado: lo que sostiene el orden.",
        "mv_pares_canasta",
        "z",
    ),
    "efecto_promocion": Definition(
        "Unidades de más",
        "Unidades vendidas en promoción entre las esperadas sin ella, menos 1, con su error "
        "estándar.",
        "mv_efecto_promocion",
        "efecto_pct",
    ),
    "semana_siguiente": Definition(
        "Semana siguiente",
        "Lo mismo en los siete días después: lo que la promoción solo adelantó.",
        "mv_efecto_promocion",
        "efecto_siguientes_pct",
    ),
    "margen_cedido": Definition(
        "Margen cedido",
        "Descuento de la promoción, sin IVA.",
        "mv_efecto_promocion",
        "margen_cedido",
    ),
    "margen_incremental": Definition(
        "Margen de más",
        "Estimación: margen de lo vendido menos el de las unidades esperadas a precio completo, "
        "con lo ganado o perdido la semana siguiente.",
        "mv_efecto_promocion",
        "margen_incremental",
    ),
    "valor_costo": Definition(
        "Inventario al costo",
        "Existencia por el costo unitario actual del producto.",
        "dim_producto",
        "costo_unitario",
    ),
    "ventas_netas": Definition(
        "Ventas netas",
        "Ventas sin IVA menos lo devuelto sin IVA, el día en que regresa: lo que la contabilidad "
        "llama ventas netas.",
        _SALES,
        "ventas_netas",
    ),
    "margen": Definition("Margen", "Ventas netas menos el costo de lo vendido.", _SALES, "margen"),
    "margen_pct": Definition(
        "Margen %",
        "Margen entre ventas netas, sumados primero ambos. La merma no está adentro.",
        _SALES,
        "margen",
    ),
    "descuento": Definition(
        "Descuento", "Venta bruta menos lo pagado: lo que cuestan las rebajas.", _SALES, "descuento"
    ),
    "descuento_pct": Definition(
        "Descuento %", "Descuento entre venta bruta, con IVA ambos.", _SALES, "descuento"
    ),
    "productos_vendidos": Definition(
        "Productos con venta",
        "Productos distintos con al menos una unidad vendida en el periodo.",
        "dim_producto",
        "producto_id",
    ),
    "puente": Definition(
        "Volumen, mezcla y precio",
        "Volumen: más o menos unidades al precio medio anterior. Mezcla: unidades que pasaron a "
        "productos más caros o más baratos. Precio: unidades de hoy por el cambio de su precio "
        "sin IVA. Devoluciones: lo que volvió de más o de menos. "
        "Productos que solo se vendieron en uno de los periodos van aparte. Unidades y kilogramos "
        "nunca se suman: lo que se vende a granel se calcula por separado.",
        "agg_ventas_dia_region_producto",
        "ventas_netas",
    ),
    "aporte_neto": Definition(
        "Aporte al cambio",
        "Ventas netas del periodo menos las del periodo comparable.",
        "agg_ventas_dia_region_producto",
        "ventas_netas",
    ),
    "unidades": Definition(
        "Unidades",
        "Piezas vendidas; kilogramos en lo que se vende a granel.",
        "agg_ventas_dia_region_producto",
        "unidades",
    ),
    "articulos_por_ticket": Definition(
        "Artículos por ticket",
        "Artículos entre tickets. Lo que se vende a granel cuenta como un artículo por renglón.",
        "agg_ventas_dia_tienda_canal",
        "articulos",
    ),
    "precio_medio_articulo": Definition(
        "Precio por artículo",
        "Ventas entre artículos. Ticket promedio = artículos por ticket × precio por artículo.",
        "agg_ventas_dia_tienda_canal",
        "articulos",
    ),
    "en_promocion": Definition(
        "Venta en promoción",
        "Parte de las ventas que se pagó con precio rebajado.",
        "agg_ventas_dia_region_producto",
        "es_promocion",
    ),
    "filas_entregadas": Definition(
        "Filas entregadas", "Filas de los archivos entregados.", "entregas", "filas_entregadas"
    ),
    "filas_rechazadas": Definition(
        "Rechazadas por regla de archivo",
        "Filas que no se pueden leer o rompen una regla por sí solas; no llegan a la base.",
        "entregas",
        "filas_rechazadas",
    ),
    "rechazos": Definition(
        "En cuarentena",
        "Filas que rompen una regla junto con otras, por motivo. Regresan solas cuando llega lo "
        "que les falta. Una fila puede tener varios motivos.",
        "rechazos",
        "filas",
    ),
    "tiendas_reportadas": Definition(
        "Tiendas con venta",
        "Tiendas con al menos un ticket ese día, de las que estaban abiertas.",
        _SALES,
        "numero_tickets",
    ),
    "entregas": Definition(
        "Última carga", "Cuándo terminó la última carga de un archivo.", "entregas", "terminada_en"
    ),
    "publicada_en": Definition(
        "Publicada",
        "Cuándo cambió por última vez lo que muestra la relación.",
        "estado_publicacion",
        "publicada_en",
    ),
}
