"""Sentences about requests, accounts and who may do what."""

SENTENCES = {
    "Content-Type is {}; send {}": "内容类型是 {0}，应为 {1}",
    "a compressed body is not taken; send it as it is": "不接受压缩的内容，请原样发送",
    "the body did not come within {} s": "请求内容未在 {0} 秒内送达",
    "the body is empty; send the file as it is": "内容为空，请原样发送文件",
    "the body: {}": "请求内容：{0}",
    "the file did not come within {} s": "文件未在 {0} 秒内送达",
    "the file has more than the {} bytes that are taken": "文件超过可接收的 {0} 字节",
    "the request comes from a page of {}, this is {}": "请求来自 {0} 的页面，而此处是 {1}",
    "cursor is not one of this export": "游标不属于这次导出",
    "cursor is not one of this list": "游标不属于这个列表",
    "cursor is not one that was given; ask without it for the first page": "游标不是此前给出的，请不带游标从第一页查起",
    "query {} is not known; known are {}": "查询参数 {0} 不存在，可用的有 {1}",
    "{} is 1 to {} printable characters of ASCII, such as a UUID": "{0} 应为 1 至 {1} 个可打印的 ASCII 字符，例如 UUID",
    "{} {} was used for another body; make a new key": "{0} {1} 已用于其他内容，请换一个新的",
    "{} {} was used when {} was permitted other things": "{0} {1} 使用时 {2} 的权限与现在不同",
    "what was asked under {} {} was done, and its answer is not known; look at what is there": (
        "以 {0} {1} 提交的请求已经执行，但答复未能留存，请查看现有内容"
    ),
    "this was asked under the same key before": "同一标识的请求此前已提交",
    "account {} is not known": "账户 {0} 不存在",
    "{} was erased": "{0} 已被删除",
    "{} was erased already": "{0} 早已被删除",
    "accounts are off here": "此处未启用账户",
    "sign in with the password first": "请先用密码登录",
    "change your password first": "请先修改密码",
    "too many are on their way to be signed in; try again later": "正在登录的人过多，请稍后再试",
    "grant {} is not known, or has ended already": "授权 {0} 不存在，或已终止",
    "link {} is not known": "关联 {0} 不存在",
    "session {} is not known, or has ended already": "会话 {0} 不存在，或已结束",
    "token {} is not known, or was revoked already": "令牌 {0} 不存在，或已吊销",
    "a token holds for 1 to {} days, not {}": "令牌有效期为 1 至 {0} 天，而不是 {1} 天",
    "scopes are at least one of {}": "权限范围至少选一项：{0}",
    "a subject is not empty": "身份标识不能为空",
    "organisation {} is not known": "机构 {0} 不存在",
    "to {} must be after from {}": "结束时间 {0} 必须晚于开始时间 {1}",
    "{} are those of the whole installation; a role for all of it is needed": "{0}属于整个系统，需要全系统的角色",
    "a site is told as a whole to those alone who see all of it; ask of {}": (
        "站点全貌只对能看到全部的人开放，请按 {0} 查询"
    ),
    "a partner, and nobody else, is granted the meters of its contract": "只有合同服务方、也只能按合同授予表计",
    "{} is a role of the whole installation": "{0} 是整个系统的角色",
    "{}: system, security and audit administration are of three accounts": (
        "{0}：系统管理、安全管理、审计管理须由三个账户分担"
    ),
    "who changes a record must be said": "须说明由谁更改",
    "why: must be said": "请填写原因",
    "records: {}": "档案库出错：{0}",
    "see the log of the gateway": "内部错误，详情见网关日志",
}
