"""Sentences about factors, quotas, filings and contracts."""

SENTENCES = {
    "factor set {} is not known; known are {}": "系数集 {0} 不存在，已有的是 {1}",
    "factor set {} is not known; {}": "系数集 {0} 不存在；{1}",
    "factor set {} holds from {} {}, not for {}": "系数集 {0} 自 {1} {2}有效，不适用于 {3}",
    "factor set {} has no coal factor for {}; it has {}": "系数集 {0} 没有{1}的折标系数，只有 {2}",
    "water is never converted into standard coal; it is reported by itself, in m3": "水不折标准煤，以立方米单独统计",
    "{} in {} needs a density, and factor set {} has none; give it in kg or t": (
        "以 {1} 计的{0}需要密度，而系数集 {2} 没有，请以 kg 或 t 填写"
    ),
    "only what one factor set converted is added; these are of {}": "只有同一系数集折算的量才能相加，这些属于 {0}",
    "{} factor {} is not known; {}": "{0}系数 {1} 不存在；{2}",
    "of {} must be organisation/ID": "对象 {0} 应写作 organisation/编号",
    "year {} must be from {} to {}": "年份 {0} 应在 {1} 至 {2} 之间",
    "amount {} must be above 0, in {}": "定额 {0} 应大于 0，单位 {1}",
    "document must say by what the quota holds": "请填写定额依据的文件",
    "a quota of energy needs the factor_set under which its standard coal was made": (
        "综合能耗定额须注明折标所用的系数集"
    ),
    "a quota of {} is in {}; it has no factor_set": "{0}的定额以 {1} 计，不需要系数集",
    "months must be twelve amounts, 0 or more": "各月应为十二个不小于 0 的数",
    "months sum to {}, not to the amount {}": "各月合计 {0}，与全年 {1} 不符",
    "give one of amount, standard and history": "定额、标准、历史三者只能取一种",
    "value {} is not known; known are {}": "指标值 {0} 不存在，可用的有 {1}",
    "{} is in {}: it sets no yearly quota of {}": "{0} 以 {1} 计，不能确定{2}的年度定额",
    "{} tells no lines apart; known are {}": "{0} 不能区分各行，可用的有 {1}",
    "{} of {}: {}; give the size": "{1} 的{0}：{2}；请填写规模",
    "{} of {}: {}": "{1} 的{0}：{2}",
    "{} has no {}; it has {}": "{0} 没有 {1}，只有 {2}",
    "{} has no {} here; it has {}": "{0} 此处没有 {1}，只有 {2}",
    "{} has no line of {} for {}; it has {}": "{0} 没有适用于 {2} 的 {1}，只有 {3}",
    "{} has {} lines of {} that could hold; say {}": "{0} 有 {1} 行 {2} 可能适用，请说明 {3}",
    "{} has {} lines of {} for {}; one of them is wrong": "{0} 有 {1} 行 {2} 同时适用于 {3}，其中必有一行有误",
    "{} lies in {} {} ({}) of {}, not in {}; the wrong line would allow another amount": (
        "{0} 属于 {4} 的 {1} {2}（{3}），不属于 {5}；用错行会得出不同的定额"
    ),
    "{} of {} is in {}, the figure in {}": "{1} 的 {0} 以 {2} 计，而数值以 {3} 计",
    "{} of {} was made with factor set {}, the figure with {}: the same electricity differs between sets by up to 2.5 "
    "times, so they are not compared; ask for the figure under {}": (
        "{1} 的 {0} 按系数集 {2} 制定，数值按 {3} 折算：同样的电在不同系数集下可差 2.5 倍，不作比较；请按 {4} 查询"
    ),
    "{} {} {} must be above 0": "{0} {1} {2} 应大于 0",
    "{} holds from {} {}, not on {}": "{0} 自 {1} {2}有效，{3} 不适用",
    "quota standard {} is not known; known are {}": "定额标准 {0} 不存在，已有的是 {1}",
    "the size {} that {} is multiplied by must be above 0": "与 {1} 相乘的规模 {0} 应大于 0",
    "{} not known whole; leave out or complete": "{0} 数据不全，请去掉或补全",
    "no past year is given": "没有给出往年",
    "rate {} must be from 0 to below 1; 0.06 is six percent": "比率 {0} 应不小于 0 且小于 1，0.06 即 6 %",
    "a quota of {} millionths over {} months cannot be divided": "百万分之 {0} 的定额无法分到 {1} 个月",
    "weights must not be below 0, nor all of them 0": "权重不能小于 0，也不能全为 0",
    "{} is no institution that files for {}": "{0} 不是须填报 {1} 的机构",
    "a filing that is {} cannot be taken to {}; it can: {}": "“{0}”的报表不能{1}，可以：{2}",
    "{} is no figure": "{0} 不是数字",
    "form {} {} has no item {}; it has {}": "报表 {0} {1} 没有品目 {2}，只有 {3}",
    "form {} has no version that holds on {}": "报表 {0} 没有适用于 {1} 的版本",
    "contract {} is not known": "合同 {0} 不存在",
    "contract_adjustment {} is not known": "非常规调整 {0} 不存在",
    "statement {} is not known": "结算单 {0} 不存在",
    "the contract runs from {} to {}; ask for days of it": "合同期为 {0} 至 {1}，请选其中的日期",
    "the days until {} have not ended yet": "截至 {0} 的日子尚未结束",
    "clause {} is not in the contract; it has {}": "合同中没有条款 {0}，只有 {1}",
    "clause {} is {}; only shared_savings goes by a baseline": "条款 {0} 属于 {1}，只有节能效益分享条款使用基准",
    "clause {} has no frozen baseline yet; freeze one first": "条款 {0} 还没有冻结的基准，请先冻结",
    "a reversal says why": "红冲须说明原因",
    "a statement is taken back at /api/v1/statements/reverse, which says why": (
        "结算单须经 /api/v1/statements/reverse 红冲，并说明原因"
    ),
    "an agreed baseline says how much a day: give per_day": "约定基准须给出每日用量 per_day",
    "per_day: {}": "每日用量：{0}",
    "a baseline of {} was frozen meanwhile; fit it again": "{0} 的基准刚被冻结，请重新拟合",
    "another statement was frozen meanwhile; try again": "刚有另一份结算单被冻结，请重试",
    "the days from {} to {} were settled by {}; take that back first": "{0} 至 {1} 已由 {2} 结算，请先红冲",
    "{} was taken back already": "{0} 已被红冲",
    "{} takes another statement back itself; freeze a new one of those days": "{0} 本身是红冲单，请为这些日子另行结算",
    "{} rests on what {} carried forward; take that one back first": "{0} 含 {1} 结转的数额，请先红冲后者",
    "the adjustment ends {}, before it begins {}": "调整结束于 {0}，早于开始 {1}",
    "the same adjustment was entered already": "同样的调整已录入",
    "in {} days begin within an hour; contracts are settled by whole hours": "{0} 的日界不在整点，合同按整点结算",
    "you speak for {} of this contract, not for the {}": "您代表本合同的{0}，不代表{1}",
    "the statement was taken back by a reversing one; nothing more happens to it": "结算单已被红冲，不再处理",
    "the {} has confirmed it already": "{0}已确认",
    "the {} has confirmed the statement; what is wrong now is reversed, not disputed": (
        "{0}已确认结算单，再有差错须红冲，不能提异议"
    ),
    "it is {}; {} follows on {}": "当前为“{0}”，“{1}”须在“{2}”之后",
    "{} is for the {} to say": "“{0}”须由{1}提出",
    "lines {} are disputed; agree on them, or reverse it": "第 {0} 行有异议，请达成一致或红冲",
    "line {} is not in the statement; it has {}": "结算单中没有第 {0} 行，只有 {1}",
    "line {} is not disputed; only what is disputed goes to a third party": "第 {0} 行没有异议，有异议的才提交第三方",
    "the {} does not dispute line {}": "{0}未对第 {1} 行提出异议",
    "the {} disputes line {} already": "{0}已对第 {1} 行提出异议",
    "method {} is not known; known are {}": "方法 {0} 不存在，可用的有 {1}",
    "the baseline period ends {}, before it begins {}": "基准期结束于 {0}，早于开始 {1}",
    "{} has more than {} decimals": "{0} 的小数超过 {1} 位",
    "only {} days have both an amount and a temperature; a daily baseline needs {} at least, and a year to be good": (
        "只有 {0} 天同时有用量和气温；按日的基准至少需要 {1} 天，一整年才可靠"
    ),
    "only {} months have an amount and a temperature on every day; a baseline by months needs {} at least, and 12 to "
    "be good": "只有 {0} 个月逐日有用量和气温；按月的基准至少需要 {1} 个月，12 个月才可靠",
    "line {} has no price: its counters have no tariff; agree on a price, or give them one": (
        "第 {0} 行没有单价：其计量表没有价目，请约定单价或配置价目"
    ),
    "{}: {} % of its amount is estimated; the contract allows {} %": "{0}：用量中 {1} % 为估算，合同最多允许 {2} %",
    "the baseline of {} is of {}, the contract goes by {}; freeze one for these": (
        "{0} 的基准针对 {1}，而合同针对 {2}，请据此重新冻结"
    ),
    "the baseline of {} goes by station {}, the contract by {}; freeze one for it": (
        "{0} 的基准采用气象站 {1}，而合同采用 {2}，请据此重新冻结"
    ),
    "line {}: of {}{} not all is known (readings or temperature); bring them in, or agree in the contract on "
    "`missing_days: leave_out`": (
        "第 {0} 行：{1}{2} 数据不全（读数或气温），请补录，或在合同中约定 `missing_days: leave_out`"
    ),
    "the file is no JSON document any more: {}": "文件已不是 JSON：{0}",
    "the file is no statement of format {}; download it again": "文件不是格式 {0} 的结算单，请重新下载",
    "the file was changed: {}": "文件被改动过：{0}",
    "the file was changed: byte {} is not as statements are written": "文件被改动过：第 {0} 字节与结算单的写法不符",
    "the hash {} is not that of the file, {}": "哈希 {0} 与文件的 {1} 不符",
    "the statement cannot be reckoned again: {}: {}": "结算单无法重算：{0}：{1}",
    "the hash of the statement {} that is taken back does not fit it": "被红冲的结算单 {0} 哈希不符",
    "the hash of the baseline of {} does not fit it": "{0} 的基准哈希不符",
    "{} is not as it is written by us": "{0} 与本系统的写法不符",
    "{} has {} days in a period of {}": "{0} 有 {1} 天，而结算期为 {2} 天",
    "{} {}: {} is {}, reckoned again {}": "{0} {1}：{2} 为 {3}，重算为 {4}",
    "{} is {}, reckoned again {}": "{0} 为 {1}，重算为 {2}",
}
