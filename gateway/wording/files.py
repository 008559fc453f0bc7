"""Sentences about files that are sent: sites, rules, rosters, contracts, and what is entered in their words."""

SENTENCES = {
    "did you mean {}?": "是不是 {0}？",
    "known are {}": "可用的有 {0}",
    "known here are {}": "此处可用的有 {0}",
    "classes are {}": "大类有 {0}",
    "the names are in docs/glossary.md": "名称见 docs/glossary.md",
    "is not a key here; {}": "此处没有这个键；{0}",
    "is missing and must be given": "缺失，必须填写",
    "is used twice": "重复使用",
    "is given twice; keep one": "重复，请只留一个",
    "is given twice for this meter; keep one": "此表重复，请只留一个",
    "id {} is used twice; give each its own": "编号 {0} 重复，请各用各的",
    "is used twice; give each rule its own id": "编号重复，请给每条规则各自的编号",
    "is used twice; give each clause its own": "编号重复，请给每个条款各自的编号",
    "is used twice; give each adjustment its own": "编号重复，请给每项调整各自的编号",
    "is used twice; give each contract its own": "编号重复，请给每份合同各自的编号",
    "stands within itself": "引用了自身",
    "a key must be a plain word": "键应为普通词",
    "cannot be understood: {}": "无法理解：{0}",
    "is not YAML: {}": "不是 YAML：{0}",
    "{}:{}: is not YAML: {}": "{0} 第 {1} 行：不是 YAML：{2}",
    "{}: cannot be read: {}": "{0}：无法读取：{1}",
    "{}: is not UTF-8: {} at byte {}": "{0}：不是 UTF-8：第 {2} 字节 {1}",
    "is not UTF-8: {} at byte {}": "不是 UTF-8：第 {1} 字节 {0}",
    "is nested more than {} deep": "嵌套超过 {0} 层",
    "would have more than {} values of its aliases, written out": "引用展开后超过 {0} 个值",
    "holds a number of more than {} characters": "含有超过 {0} 个字符的数",
    "must be one of {}": "应为其中之一：{0}",
    "must be a number": "应为数字",
    "must be above 0": "应大于 0",
    "must be 0 or more": "应不小于 0",
    "must be from 0 to 100": "应在 0 至 100 之间",
    "must be yes or no (是, 否)": "应为“是”或“否”",
    "must be yes, no, or from a day to a day, such as 2026-01-01/.. or 2026-01-01/2026-07-01": (
        "应为“是”“否”或起止日期，例如 2026-01-01/.. 或 2026-01-01/2026-07-01"
    ),
    "must be a day, such as 2026-03-01": "应为日期，例如 2026-03-01",
    "must be a day, such as 2026-01-01": "应为日期，例如 2026-01-01",
    "must be a month, such as 2026-03": "应为月份，例如 2026-03",
    "must be a day, or two such as 2026-10-01..2026-10-07": "应为一天，或起止两天，例如 2026-10-01..2026-10-07",
    "must be two days of the year, such as 11-15..03-15": "应为一年中的两天，例如 11-15..03-15",
    "must be two times of the clock, such as 07:00-10:30 or 23:00-07:00": (
        "应为两个时刻，例如 07:00-10:30 或 23:00-07:00"
    ),
    "must begin and end on the half hour, such as 07:00-10:30": "起止须在整点或半点，例如 07:00-10:30",
    "must lie between 00:00 and 24:00": "应在 00:00 至 24:00 之间",
    "must not end where it begins; the whole day is 00:00-24:00": "起止不能相同；全天写作 00:00-24:00",
    "must be a price, or one for each band": "应为一个单价，或各时段的单价",
    "is no band; known are {}": "不是时段名，可用的有 {0}",
    "ends before it begins; did you mean {}..{}?": "结束早于开始，是不是 {0}..{1}？",
    "{}: has {} bytes; {} are taken at most": "{0}：有 {1} 字节，最多可接收 {2} 字节",
    "has {} bytes; {} are taken at most": "有 {0} 字节，最多可接收 {1} 字节",
    "{}: is no Excel workbook (.xlsx)": "{0}：不是 Excel 工作簿（.xlsx）",
    "{}: is no Excel workbook (.xlsx): {}": "{0}：不是 Excel 工作簿（.xlsx）：{1}",
    "is no Excel workbook (.xlsx)": "不是 Excel 工作簿（.xlsx）",
    "is no Excel workbook (.xlsx): {}": "不是 Excel 工作簿（.xlsx）：{0}",
    "{} would unpack to more than {} times its size": "{0} 解压后将超过原大小的 {1} 倍",
    "holds {} parts; a workbook has {} at most": "有 {0} 个部件，工作簿最多 {1} 个",
    "would unpack to {} bytes; {} are taken at most": "解压后有 {0} 字节，最多可接收 {1} 字节",
    "holds a part twice": "有重复的部件",
    "part {} leads out of the workbook": "部件 {0} 指向工作簿之外",
    "holds macros; save it as .xlsx without them": "含有宏，请另存为不含宏的 .xlsx",
    "links to other workbooks; break the links (Data, Edit Links) and save it anew": (
        "链接到其他工作簿，请在“数据－编辑链接”中断开链接后另存"
    ),
    "is encrypted; save it without a password": "已加密，请去掉密码后另存",
    "part {} is no XML: {}": "部件 {0} 不是 XML：{1}",
    "part {} declares a DTD": "部件 {0} 声明了 DTD",
    "is a formula; enter its value": "是公式，请填写数值",
    "{}: is a formula; enter its value": "{0}：是公式，请填写数值",
    "has more rows than the {} that are taken": "行数超过可接收的 {0} 行",
    "{}!{}: has more rows than the {} that are taken": "{0}!{1}：行数超过可接收的 {2} 行",
    "site!3: there must be one site, here are {}": "site!3：应只有一个站点，此处有 {0} 个",
    "there must be one site, here are {}": "应只有一个站点，此处有 {0} 个",
    "column {} is not known; known are {}": "没有列 {0}，可用的有 {1}",
    "column {} is there twice": "列 {0} 重复",
    "{}: is no sheet here; known are {}": "{0}：没有这个工作表，可用的有 {1}",
    "{}: meter {} is not among the meters": "{0}：表计 {1} 不在表计清单中",
    "{}:1: has no column {}; needs {}": "{0} 第 1 行：缺少列 {1}，需要 {2}",
    "the site is {}, here it is {}": "文件中的站点是 {0}，此处是 {1}",
    "a meter on a line needs a profile": "接在线路上的表计须有表型文件",
    "profile {} is a file of one's own; bring it in with `jieneng site import`": (
        "表型 {0} 是自备文件，请用 `jieneng site import` 导入"
    ),
    "profile {} is for {}, but the meter measures {}": "表型 {0} 用于{1}，而表计计量{2}",
    "profile {} has no register {}; it has {}": "表型 {0} 没有寄存器 {1}，只有 {2}",
    "profile {} is not known; shipped are {}; one of your own stands in {}/ beside the site file, or is named by its "
    "path that ends in .yaml": (
        "表型 {0} 不存在；自带的有 {1}；自备的放在站点文件旁的 {2}/ 中，或以 .yaml 结尾的路径指明"
    ),
    "{}: {} is the name of a shipped profile; give the file another name": "{0}：{1} 与自带表型同名，请换一个文件名",
    "the records, or the file, are others than those that were compared; compare again": (
        "档案或文件与比对时不同，请重新比对"
    ),
    "{} {} was changed by somebody else meanwhile; compare again": "{0} {1} 刚被他人更改，请重新比对",
    "line address {} names no port; a serial server has one, rtu+tcp://HOST:PORT": (
        "线路地址 {0} 没有端口；串口服务器应写作 rtu+tcp://主机:端口"
    ),
    "line address {} must be of the form {}": "线路地址 {0} 应写作 {1}",
    "line address {}: {}": "线路地址 {0}：{1}",
    "{} is the wire of line {}, which speaks otherwise on it: {}": (
        "{0} 与线路 {1} 是同一条线，而后者的通信方式不同：{2}"
    ),
    "{}={} is not one of {}": "{0}={1} 应为其中之一：{2}",
    "{} is not known; there are baud, parity and stop": "{0} 不存在，可用的有 baud、parity、stop",
    "is for meters that are asked by it; a Modbus meter has a unit": "用于按地址抄读的表计；Modbus 表用站号 unit",
    "is missing: a {} meter is asked by the {} digits on its plate, in quotes": (
        "缺失：{0} 表按铭牌上的 {1} 位表号抄读，请加引号"
    ),
    "a {} meter has {} digits, these are {}; fill up with zeros in front": (
        "{0} 表号为 {1} 位，此处 {2} 位，请在前面补零"
    ),
    "speaks Modbus TCP, a {} meter does not: give it as rtu+tcp://HOST:PORT or serial:/dev/DEVICE": (
        "是 Modbus TCP 线路，{0} 表不支持，请写作 rtu+tcp://主机:端口 或 serial:/dev/设备"
    ),
    "parents go in a circle: {}": "上级关系成环：{0}",
    "parent {} is none of {}": "上级 {0} 不在其中：{1}",
    "parent {} is no meter of this site": "上级 {0} 不是本站点的表计",
    "parent {} measures {}, this meter {}": "上级表 {0} 计量{1}，本表计量{2}",
    "code {} is that of {} already": "代码 {0} 已属于 {1}",
    "a {} lies in a region; {} is a {}": "{0}应属于行政区划，而 {1} 是{2}",
    "a {} cannot lie in {}, which is a {}": "{0}不能属于 {1}，后者是{2}",
    "code {} must begin with {}, as it lies in {}": "代码 {0} 应以 {1} 开头，因为它属于 {2}",
    "{} of {} {} is said twice: it holds {} already": "{1} {2} 的{0}重复：已有 {3} 的",
    "organisation {} is none of {}": "机构 {0} 不在其中：{1}",
    "has neither a weight here nor a fact {} to take it from": "此处没有权重，也没有可取用的{0}",
    "{} is shared twice: a share holds {} already": "{0} 分摊重复：已有 {1} 的分摊",
    "{} {} is none of {}": "{0} {1} 不在其中：{2}",
    "{} {} on line {} is taken by meter {}": "线路 {2} 上的 {0} {1} 已被表计 {3} 占用",
    "is for meters that are on no line; line {} says by `edge` who reads it": (
        "用于不在线路上的表计；线路 {0} 由 `edge` 指明谁来抄读"
    ),
    "a meter that was removed is on no line; take its `line` away": "已拆除的表计不在线路上，请去掉 `line`",
    "account {} is for {}, this meter measures {}": "用户号 {0} 用于{1}，而本表计量{2}",
    "meter {}: address {} must be the digits on the meter, nothing else": "表计 {0}：地址 {1} 只能是表上的数字",
    "meter {}: unit {} is not within 0..255": "表计 {0}：站号 {1} 不在 0..255 之内",
    "meter {}: {} {} is not above 0": "表计 {0}：{1} {2} 应大于 0",
    "meter {}: {} at {} s is not above 0 and below {}": "表计 {0}：{1} {2} 秒应大于 0 且小于 {3}",
    "meter {}: {} can be neither above {} nor below {}": "表计 {0}：{1} 的合理范围有误：上限 {1}，下限 {2}",
    "meter {}: {} is a gauge; registers are those of counters": "表计 {0}：{1} 是瞬时量，表底只用于累计量",
    "virtual point {} has no formula": "虚拟表 {0} 没有公式",
    "line {}: timeout_s {} is not above 0": "线路 {0}：超时 {1} 秒应大于 0",
    "{} {} is not above 0": "{0} {1} 应大于 0",
    "{} id {} may hold letters, digits, '-', '_' and '.', 64 at most, and begins with a letter or digit": (
        "{0}编号 {1} 只能含字母、数字、-、_ 和 .，最多 64 个字符，以字母或数字开头"
    ),
    "a country has no code of GB/T 2260; leave {} out": "国家没有 GB/T 2260 代码，请去掉 {0}",
    "region code {} must be of six digits, such as 330302": "行政区划代码 {0} 应为六位数字，例如 330302",
    "region code {} is not that of a {}: it has {}": "行政区划代码 {0} 不是{1}的代码：它有 {2}",
    "统一社会信用代码 {} has {} characters; it must have 18": "统一社会信用代码 {0} 有 {1} 位，应为 18 位",
    "统一社会信用代码 {} may hold digits and capitals but I, O, S, V, Z; not {}": (
        "统一社会信用代码 {0} 只能含数字和除 I、O、S、V、Z 外的大写字母，不能含 {1}"
    ),
    "统一社会信用代码 {}: check digit should be {}": "统一社会信用代码 {0}：校验位应为 {1}",
    "building code {} must be six digits of the region, a capital letter for the class and three digits, such as "
    "320100A008": "建筑代码 {0} 应为六位区划代码、一个大写类别字母和三位数字，例如 320100A008",
    "a {} has no code; leave {} out, or say that it is a building": "{0}没有代码，请去掉 {1}，或注明它是建筑",
    "class {} is none of {}": "类别 {0} 不在其中：{1}",
    "a fact is of a place or of an organisation; give one of them": "基本信息属于位置或机构，请只填一个",
    "a share is of a meter or of a place; give one of them": "分摊属于表计或位置，请只填一个",
    "weight {} of {} must be a number not below 0": "{1} 的权重 {0} 应为不小于 0 的数",
    "nobody has a part of it": "没有任何机构参与分摊",
    "organisation {} has two parts; give it one": "机构 {0} 出现两次，请只留一次",
    "basis sub_meter takes no weights: the sub-meters tell them": "按分表分摊不需要权重",
    "fixed weights must be given to all and sum to 1, these sum to {}": "固定比例须全部填写且合计为 1，现合计 {0}",
    "basis {}: give a weight to every part, or to none; and not 0 to all": (
        "分摊依据 {0}：权重应全填或全不填，且不能全为 0"
    ),
    "account {}: capacity_kva {} is not above 0": "用户号 {0}：容量 {1} kVA 应大于 0",
    "organisation {} cannot belong to itself": "机构 {0} 不能隶属于自己",
    "{} {} must be a number not below 0": "{0} {1} 应为不小于 0 的数",
    "channel {}: the address is empty or has control characters": "通道 {0}：地址为空或含控制字符",
    "person {} has no name": "人员 {0} 没有姓名",
    "person {} cannot be reached: name a channel and an address": "人员 {0} 无法通知：请填写通道和地址",
    "person {}: language {} must be zh or en": "人员 {0}：语言 {1} 应为 zh 或 en",
    "a shift begins and ends at instants with a time zone": "班次起止须带时区",
    "a shift ends at {} and begins at {}: it must end later": "班次结束于 {0}、开始于 {1}：结束必须更晚",
    "a shift has nobody as main; name one": "班次没有主班，请指定",
    "a swap ends at {} and begins at {}: it must end later": "换班结束于 {0}、开始于 {1}：结束必须更晚",
    "{} cannot stand in for himself": "{0} 不能替自己的班",
    "needs turns, and `to` not before `from`": "须有轮值人员，且结束不早于开始",
    "{} has no shift that begins on {}": "{0} 在 {1} 没有开始的班次",
    "is no person of this file; there are {}": "不是本文件中的人员，已有的是 {0}",
    "is no channel; there are {}": "不是通知通道，已有的是 {0}",
    "{} must be an hour of the day, such as 08:00": "{0} 应为时刻，例如 08:00",
    "a rung calls nobody; name main, deputy or leader": "这一级没有通知任何人，请填写主班、副班或带班领导",
    "a chain without a rung calls nobody": "上报链没有任何一级",
    "each rung must come later than the one before it": "每一级必须晚于前一级",
    "give one of above and below, such as above: 800 kW": "above 与 below 须填其一，例如 above: 800 kW",
    "no meter of the site has it there; the rule would never ring": "那里没有这样的表计，规则永远不会触发",
    "give either points, such as [east-main:flow_rate], or every: a quantity": (
        "请填写 points（例如 [east-main:flow_rate]）或 every（一个物理量）"
    ),
    "goes with `every`; named points say themselves of what they are": "只与 `every` 合用；指名的测点自带种类",
    "goes with `every`; named points say themselves where they are": "只与 `every` 合用；指名的测点自带位置",
    "are in {}; one rule has one limit: split it": "单位分别是 {0}；一条规则只有一个限值，请拆开",
    "must be METER:QUANTITY, such as east-main:flow_rate": "应写作“表计:物理量”，例如 east-main:flow_rate",
    "meter {} does not measure {}; it has {}": "表计 {0} 不计量 {1}，只有 {2}",
    "night_minimum is for counters": "night_minimum 用于累计量",
    "threshold and night_flow are for gauges": "threshold 和 night_flow 用于瞬时量",
    "{} is a {}, and this rule takes a {}; {}": "{0} 是{1}，而这条规则需要{2}；{3}",
    "{} {} is not known; {}": "{0} {1} 不存在；{2}",
    "is in {}, but what it is compared with is in {}; write it in {}": (
        "以 {0} 计，而与之比较的以 {1} 计，请以 {2} 填写"
    ),
    "must be a number with its unit, such as 1.5 m3/h or 800 kW": "应为带单位的数，例如 1.5 m3/h 或 800 kW",
    "must be a time with its unit, such as 30 s, 15 min or 1 h": "应为带单位的时长，例如 30 s、15 min 或 1 h",
    "must be a percentage above 0, such as 15 %": "应为大于 0 的百分数，例如 15 %",
    "must be hours of the day, such as 00:00-05:00": "应为一天中的时段，例如 00:00-05:00",
    "there is no such hour; write such as 00:00-05:00": "没有这样的时刻，例如应写作 00:00-05:00",
    "back_above {} is below the limit {}: it would never be over": "恢复值 {0} 低于限值 {1}：告警永远不会恢复",
    "back_below {} is above the limit {}: it would never be over": "恢复值 {0} 高于限值 {1}：告警永远不会恢复",
    "a {} {} hours": "{0}{1}时段",
    "hours from {} to {} are none": "{0} 至 {1} 不构成时段",
    "the formula ends where a point or a number should stand": "公式在应有测点或数字处结束",
    "{} stands where a point or a number should": "{0} 处应为测点或数字",
    "{} is no function; known is sum(a, b, ...)": "{0} 不是函数，可用 sum(a, b, ...)",
    "a constant cannot be added to points, since it has no hours": "常数没有时序，不能与测点相加",
    "points cannot be multiplied with each other; one side must be a number": "测点之间不能相乘，须有一边是数字",
    "nothing can be divided by points; right of '/' must be a number": "不能除以测点，“/”右边须为数字",
    "nothing can be divided by 0": "不能除以 0",
    "a formula has {} characters at most, this one {}": "公式最多 {0} 个字符，此处 {1} 个",
    "a formula needs a point, such as office-a-main; this one is only a number": (
        "公式须含测点，例如 office-a-main；此处只有数字"
    ),
    "{} is not expected here; an operator is": "此处不应有 {0}，而应是运算符",
    "{} is missing {}": "{0} 缺少 {1}",
    "{} is no METER or METER:QUANTITY: letters, digits, '-', '_' and '.', 64 at most, beginning with a letter or "
    "digit": "{0} 不是“表计”或“表计:物理量”：只能含字母、数字、-、_ 和 .，最多 64 个字符，以字母或数字开头",
    "{} needs a space on both sides: 'a {} b'": "{0} 两边须有空格：a {1} b",
    "{} is not understood{}": "无法理解 {0}{1}",
    '{} is not closed: write [office-a-main] or "office-a-main"': (
        '{0} 没有闭合：请写作 [office-a-main] 或 "office-a-main"'
    ),
    "{} reads like numbers: write spaces around '-', or [{}] if it is a name": (
        "{0} 像是算式：请在“-”两边加空格；如是名称请写作 [{1}]"
    ),
    "{} ends in {}: write spaces around '-', or [{}] if it is a name": (
        "{0} 以 {1} 结尾：请在“-”两边加空格；如是名称请写作 [{2}]"
    ),
    "all points cancel out: nothing is left to be reckoned": "各测点互相抵消，没有可计算的",
    "must be a counter, such as main:active_energy_import": "应为累计量，例如 main:active_energy_import",
    "must be a list of days, such as [2026-01-01..2026-01-03]": "应为日期列表，例如 [2026-01-01..2026-01-03]",
    "is empty; name the counters that the contract goes by": "为空，请列出合同所依据的累计量",
    "{} counts already at these dates, from {} to {}; let one end before the other begins": (
        "{0} 在 {1} 至 {2} 已计入，请让前者先结束"
    ),
    "{} is a gauge; a contract goes by counters, such as active_energy_import": (
        "{0} 是瞬时量；合同以累计量计，例如 active_energy_import"
    ),
    "meter {} is not in the site; it has {}{}": "站点中没有表计 {0}，已有的是 {1}{2}",
    "is before its own beginning, {}": "早于自己的开始 {0}",
    "is before the contract begins, {}": "早于合同开始 {0}",
    "lies outside the contract, which runs from {} to {}": "不在合同期 {0} 至 {1} 之内",
    "is empty; a contract has one fee clause at least": "为空，合同至少有一个计费条款",
    "{} is not in the boundary; add it there, or take it out here": "{0} 不在计量边界中，请补入或在此去掉",
    "are measured in {}; name those of one unit, a clause for each": "计量单位为 {0}；请按单位分别设条款",
    "{} is shared by clause {} already; a saving is shared once": "{0} 已由条款 {1} 分享，同一节能量只能分享一次",
    "is empty; say whose share is how much, from when to when": "为空，请填写分享比例和起止日期",
    "must be from 0 to 100: a share is a part of what was saved": "应在 0 至 100 之间：分享的是节能量的一部分",
    "overlaps the stage from {} to {}; begin on {}": "与 {0} 至 {1} 的阶段重叠，应从 {2} 开始",
    "leaves the days from {} without a share; begin on {}": "{0} 起的日子没有分享比例，应从 {1} 开始",
    "must be either `agreed:` with prices, or `metered: true`": "应为带单价的 `agreed:`，或 `metered: true`",
    "has no price from the beginning on; give one from {}": "起始没有单价，请从 {0} 起给出",
    "has a price already; keep one": "已有单价，请只留一个",
    "must be from 0 to 1: the part of the fee that follows": "应在 0 至 1 之间：随之变动的那部分费用",
}
