extension Sentence {
    /// What `Scheduling`, `Jobs`, `Core`, `Agent` and `Engines` say of jobs and money, and `Hub` of what differs in a
    /// release, a pattern a line: English ¦ Chinese. `{0}` is a gap, `{0…}` a list, `(s)` the ending of a plural.
    /// `Tests/ConsoleTests/SentenceTests.swift` holds it against everything that those modules can say.
    static let catalogue = """
        {0} core(s) ¦ {0} 核
        {0} of memory ¦ {0} 内存
        {0} card(s) ¦ {0} 张卡
        {0} task(s) ¦ {0} 个任务
        {0} run(s) ¦ {0} 个运行
        {0} job(s) ¦ {0} 个作业
        {0} centre(s) ¦ {0} 个中心
        {0} of {1} ¦ {0} / {1}
        {0} more ¦ 另外 {0} 个
        It can start now at {0}. ¦ 现在就可以在 {0} 启动。
        It waits for {0} to succeed first. ¦ 它要先等 {0} 成功。
        It waits for {0} to succeed first: {1…}. ¦ 它要先等 {0} 成功：{1}。
        Its last attempt failed; it is tried again at {0}. ¦ 上一次尝试失败了，将于 {0} 重试。
        No centre that it may use could ever run it, even when empty. ¦ 它可用的中心即使空闲也都无法运行它。
        No centre that could run it is open to it now. ¦ 能运行它的中心目前都不对它开放。
        Project {0} holds {1} of the {2} that its quota allows, and this job needs {3}. ¦ 项目 {0} 已占用 {1}，配额上限为 {2}，而此作业需要 {3}。
        Project {0} has {1} credits left, and this job needs {2} set aside even at {3}, its cheapest centre. ¦ 项目 {0} 还剩 {1} 积分，而此作业即使在最便宜的中心 {3} 也需预留 {2} 积分。
        Room is being made for it at {0}: {1} of lower priority is stopping. ¦ {0} 正在为它腾出空间：{1}（优先级较低）正在停止。
        Room is being made for it at {0}: {1} of lower priority are stopping. ¦ {0} 正在为它腾出空间：{1}（优先级较低）正在停止。
        Its place is being made at {0}: {1} is being moved to other nodes there. ¦ {0} 正在为它腾出位置：{1}正在移到那里的其他节点。
        Its place is being made at {0}: {1} are being moved to other nodes there. ¦ {0} 正在为它腾出位置：{1}正在移到那里的其他节点。
        Every centre that could run it is busy: {0} has {1} free. ¦ 能运行它的中心都在忙：{0} 空闲 {1}。
        Every centre that could run it is busy: {0} has {1} free on its best node. ¦ 能运行它的中心都在忙：{0} 最空闲的节点空闲 {1}。
        Every centre that could run it is busy: {0} has {1} free, and room is kept for it from {2}. ¦ 能运行它的中心都在忙：{0} 空闲 {1}，已从 {2} 起为它留出空间。
        Every centre that could run it is busy: {0} has {1} free on its best node, and room is kept for it from {2}. ¦ 能运行它的中心都在忙：{0} 最空闲的节点空闲 {1}，已从 {2} 起为它留出空间。
        There is room, but {0} ahead of it gets it first. ¦ 有空间，但排在它前面的 {0} 先用。
        There is room, but {0} ahead of it get it first. ¦ 有空间，但排在它前面的 {0} 先用。
        There is room, but project {0} has used more of its share: {1} of other projects goes first. ¦ 有空间，但项目 {0} 已用得超过其份额：其他项目的 {1} 先运行。
        There is room, but project {0} has used more of its share: {1} of other projects go first. ¦ 有空间，但项目 {0} 已用得超过其份额：其他项目的 {1} 先运行。
        There is room at {0}, but it is kept for maintenance {1} from {2} to {3}. ¦ {0} 有空间，但已为维护 {1} 保留（{2} 至 {3}）。
        There is room at {0}, but it is kept for reservation {1} from {2} to {3}. ¦ {0} 有空间，但已为预约 {1} 保留（{2} 至 {3}）。
        {0} keeps its room for maintenance {1} from {2} to {3} ¦ {0} 为维护 {1} 保留空间（{2} 至 {3}）
        {0} keeps its room for reservation {1} from {2} to {3} ¦ {0} 为预约 {1} 保留空间（{2} 至 {3}）
        it is expected to start at {0} ¦ 预计于 {0} 启动
        {0} has not succeeded yet ¦ {0} 尚未成功
        and {0} more ¦ 以及另外 {0} 个
        cores: {0} held + {1} needed = {2}, over {3} ¦ 核：已占用 {0} + 需要 {1} = {2}，超过 {3}
        cards: {0} held + {1} needed = {2}, over {3} ¦ 卡：已占用 {0} + 需要 {1} = {2}，超过 {3}
        runs: {0} held + {1} needed = {2}, over {3} ¦ 运行：已占用 {0} + 需要 {1} = {2}，超过 {3}
        memory: {0} held + {1} needed = {2}, over {3} ¦ 内存：已占用 {0} + 需要 {1} = {2}，超过 {3}
        tasks: {0} held + {1} needed = {2}, over {3} ¦ 任务：已占用 {0} + 需要 {1} = {2}，超过 {3}
        {0} credits are missing ¦ 还差 {0} 积分
        {0} ahead of it in order ¦ 前面还有 {0}
        {0} is expected to have room at {1}, kept for it ¦ 预计 {0} 在 {1} 有空间，已为它保留
        {0} is expected to have room at {1}, not kept for it ¦ 预计 {0} 在 {1} 有空间，未为它保留
        {0} is expected to have room at {1} when {2} ends, kept for it ¦ 预计 {0} 在 {1}（{2} 结束时）有空间，已为它保留
        {0} is expected to have room at {1} when {2} ends, not kept for it ¦ 预计 {0} 在 {1}（{2} 结束时）有空间，未为它保留
        other users of {0} hold {1} there ¦ {0} 的其他用户在那里占用 {1}
        {0} is stopping ¦ {0} 正在停止
        room is free in sum but scattered, and what the moved lose is little against what it would wait ¦ 总空闲足够但分散；与它本要等待的相比，被移动者的损失很小
        {0} is the next that room is kept for ¦ 接下来为 {0} 保留空间
        {0} not among those that the job names ¦ {0}不在作业指定之列
        {0} of tiers that the job does not allow ¦ {0}属于作业不允许的层级
        {0} is not among the centres that the job names ¦ {0} 不在作业指定的中心之列
        {0} is of tier {1}, which the job does not allow ¦ {0} 属于作业不允许的层级 {1}
        {0} was removed ¦ {0} 已被移除
        {0} is draining and takes no new work ¦ {0} 正在排空，不接收新作业
        {0} has not been heard of since {1} ¦ 自 {1} 起没有 {0} 的消息
        {0} has not reported its capacity yet ¦ {0} 尚未上报算力
        {0} cannot isolate jobs ¦ {0} 不能隔离作业
        {0} has no cards ¦ {0} 没有加速卡
        {0} has only emulated cards, which the job does not accept ¦ {0} 只有仿真卡，作业不接受
        {0} has other cards ({1…}) ¦ {0} 是其他型号的卡（{1}）
        {0} is too small ({1}) ¦ {0} 太小（{1}）
        {0} has the nodes for it, but not all are up ({1}) ¦ {0} 的节点足够，但并非全部在线（{1}）
        {0} costs {1} credits and the project has {2} ¦ {0} 需要 {1} 积分，而项目有 {2} 积分
        {0} lacks cores ({1} free) ¦ {0} 缺核（空闲 {1}）
        {0} lacks memory ({1} free) ¦ {0} 缺内存（空闲 {1}）
        {0} lacks cards ({1} free) ¦ {0} 缺卡（空闲 {1}）
        {0} lacks tasks ({1} free) ¦ {0} 放不下全部任务（空闲 {1}）
        {0} lacks runs ({1} free) ¦ {0} 运行数已满（空闲 {1}）
        {0} gave its room to jobs ahead in this cycle ({1} left) ¦ {0} 在本轮把空间给了前面的作业（剩 {1}）
        {0} keeps its room for {1}, which starts at {2} ¦ {0} 为 {1} 保留空间，后者将于 {2} 启动
        nothing has to be done ¦ 无需任何操作
        cancel nothing: expected to start at {0} when {1} ends ¦ 无需取消：预计 {1} 结束后于 {0} 启动
        cancel nothing: expected to start at {0} ¦ 无需取消：预计于 {0} 启动
        cancel nothing: it starts when those ahead of it have had their turn ¦ 无需取消：排在前面的轮到之后它就会启动
        nothing has to be done: it starts once they have succeeded ¦ 无需任何操作：它们成功后它就会启动
        with {0…} it would start now at {1} ¦ 改为 {0}，就能立即在 {1} 启动
        with {0…} it would fit {1} ¦ 改为 {0}，{1} 就放得下
        with a time limit of {0} instead of {1} seconds it would start now at {2} ¦ 时限改为 {0} 秒（原 {1} 秒），就能立即在 {2} 启动
        were tier {0} allowed, it would start now at {1} ¦ 若允许层级 {0}，就能立即在 {1} 启动
        were {0} among its centres, it would start now there ¦ 若把 {0} 列入可用中心，就能立即在那里启动
        raise the quota of project {0} from {1} to {2} ¦ 把项目 {0} 的配额从 {1} 提高到 {2}
        grant project {0} a voucher of {1} credits ¦ 给项目 {0} 发放 {1} 积分的额度
        resume centre {0} ¦ 恢复中心 {0}
        look after centre {0}: its agent is silent ¦ 检查中心 {0}：它的代理没有消息
        wait for the first report of centre {0} ¦ 等待中心 {0} 的首次上报
        bring the nodes of centre {0} back ¦ 让中心 {0} 的节点恢复上线
        connect a centre that it may use, or widen its placement ¦ 接入一个它可用的中心，或放宽放置条件
        {0} instead of {1} ¦ {0}（原 {1}）
        {0} instead of {1} a task ¦ 每个任务 {0}（原 {1}）
        any card instead of {0} ¦ 任意型号的卡（原 {0}）
        emulated cards allowed ¦ 允许仿真卡
        isolation {0} instead of required ¦ 隔离改为 {0}（原 required）
        no room now; waits for its turn in {0}'s own queue, whose other users hold {1}; price {2} credits an hour ¦ 目前没有空间；在 {0} 自己的队列中排队，那里的其他用户占用 {1}；每小时 {2} 积分
        no room now; waits for its turn in {0}'s own queue, whose other users hold {1}; such waits took {2} s of late; price {3} credits an hour ¦ 目前没有空间；在 {0} 自己的队列中排队，那里的其他用户占用 {1}；近期等待约 {2} 秒；每小时 {3} 积分
        the only possible centre: {0} ¦ 唯一可用的中心：{0}
        best fit of {0} possible centres, with {1} of its inputs: {2} ¦ {0} 个可用中心中最合适的，已有输入 {1}：{2}
        best fit of {0} possible centres: {1} ¦ {0} 个可用中心中最合适的：{1}
        moved here from other nodes so that another job finds its place: {0} ¦ 从别的节点移到此处，好让另一个作业找到位置：{0}
        taken back from the queue of {0}'s own engine, as there is room here: {1} ¦ 从 {0} 自己引擎的队列中撤回，因为这里有空间：{1}
        leaves {0} on node {1}; price {2} credits an hour ¦ 节点 {1} 还剩 {0}；每小时 {2} 积分
        leaves {0} on {1} nodes; price {2} credits an hour ¦ {1} 个节点还剩 {0}；每小时 {2} 积分
        leaves {0} on node {1}; price {2} credits an hour; {3} of {4} out: {5…} ¦ 节点 {1} 还剩 {0}；每小时 {2} 积分；{4}中有 {3} 个不可用：{5}
        leaves {0} on {1} nodes; price {2} credits an hour; {3} of {4} out: {5…} ¦ {1} 个节点还剩 {0}；每小时 {2} 积分；{4}中有 {3} 个不可用：{5}
        waits for its turn ¦ 等待轮到它
        waits for its turn, or for other jobs to succeed ¦ 等待轮到它，或等待其他作业成功
        waits for other jobs to succeed ¦ 等待其他作业成功
        waits for {0} other(s) to succeed ¦ 等待另外 {0} 个作业成功
        attempt {0} was placed at {1} at {2}: {3} ¦ 第 {0} 次尝试于 {2} 放置到 {1}：{3}
        it started at {0}, {1} s after it was submitted ¦ 它于 {0} 启动，距提交 {1} 秒
        attempt {0} succeeded ¦ 第 {0} 次尝试成功
        attempt {0} {1} ¦ 第 {0} 次尝试{1}
        Its centre '{0}' has been silent since {1}; the run may well be going on. ¦ 它所在的中心 {0} 自 {1} 起没有消息；运行很可能仍在继续。
        It is waited for. Submit with on_centre_loss: {requeue_after: …} if it may be run again elsewhere. ¦ 平台会等它。若允许在别处重跑，提交时请写 on_centre_loss: {requeue_after: …}。
        It was asked to stop (cancel) and has not ended yet. ¦ 已要求它停止（取消），尚未结束。
        It was asked to stop (preempt) and has not ended yet. ¦ 已要求它停止（抢占），尚未结束。
        It was asked to stop (drain) and has not ended yet. ¦ 已要求它停止（排空），尚未结束。
        It is being moved to other nodes of centre '{0}', where room is kept for it, so that another job finds its place. ¦ 它正被移到中心 {0} 的其他节点（已为它留出空间），好让另一个作业找到位置。
        It is being taken back from the queue of '{0}', as it can start at another centre now. ¦ 它正从 {0} 的队列中撤回，因为现在可以在别的中心启动。
        It was asked to stop (superseded) and has not ended yet. ¦ 已要求它停止（已被取代），尚未结束。
        It is promised to centre '{0}', which has not taken it yet. ¦ 已许给中心 {0}，对方尚未接收。
        Centre '{0}' has it and is bringing its inputs. ¦ 中心 {0} 已接收，正在取输入。
        Centre '{0}' has it: {1} ¦ 中心 {0} 已接收：{1}
        staging {0}: {1} of {2}, {3}/s ¦ 正在取 {0}：已取 {1}，共 {2}，每秒 {3}
        its inputs do not come: {0} ¦ 它的输入暂时取不到：{0}
        It waits at the engine of '{0}'. ¦ 它在 {0} 的引擎中等待。
        It waits at the engine of '{0}': {1} ¦ 它在 {0} 的引擎中等待：{1}
        It has ended at '{0}', its outputs are still to arrive: {1} ¦ 它在 {0} 已结束，输出尚未到齐：{1}
        uploading {0}: {1} of {2}, {3}/s ¦ 正在上传 {0}：已传 {1}，共 {2}，每秒 {3}
        its outputs do not arrive: {0} ¦ 它的输出暂时送不到：{0}
        It is running at '{0}'. ¦ 它正在 {0} 运行。
        It succeeded. ¦ 它成功了。
        It succeeded at '{0}'. ¦ 它在 {0} 成功了。
        It failed: {0}. ¦ 它失败了：{0}。
        It was cancelled: {0}. ¦ 它被取消了：{0}。
        It is between two states; ask again. ¦ 它正处于两个状态之间，请再问一次。
        no more is known ¦ 没有更多信息
        succeeded ¦ 成功
        left with exit status {0} ¦ 以退出码 {0} 结束
        left with exit status {0}: {1} ¦ 以退出码 {0} 结束：{1}
        was ended by signal {0} ¦ 被信号 {0} 终止
        was ended by signal {0}: {1} ¦ 被信号 {0} 终止：{1}
        reached its time limit ¦ 到达时限
        reached its time limit: {0} ¦ 到达时限：{0}
        needed more memory than it had asked for ¦ 所需内存超过申请
        needed more memory than it had asked for: {0} ¦ 所需内存超过申请：{0}
        could not be started ¦ 无法启动
        could not be started: {0} ¦ 无法启动：{0}
        did not leave a declared output ¦ 没有留下声明的输出
        did not leave a declared output: {0} ¦ 没有留下声明的输出：{0}
        lost the machine under it ¦ 所在机器失效
        lost the machine under it: {0} ¦ 所在机器失效：{0}
        was cancelled ¦ 被取消
        was cancelled: {0} ¦ 被取消：{0}
        was preempted ¦ 被抢占
        was preempted: {0} ¦ 被抢占：{0}
        it was moved to other nodes so that another job finds its place ¦ 它被移到其他节点，好让另一个作业找到位置
        it was taken back before it started, as there was room elsewhere ¦ 它在启动前被撤回，因为别处有空间
        was lost by its centre ¦ 被所在中心丢失
        was lost by its centre: {0} ¦ 被所在中心丢失：{0}
        before it started ¦ 在它启动之前
        before its centre was told of it ¦ 在告知中心之前
        cancelled by {0} ¦ 由 {0} 取消
        its centre was silent for longer than the job allows ¦ 中心失联的时间超过作业所允许
        its centre's agent does not have it any more ¦ 中心的代理已没有它
        the agent reported an end without an outcome ¦ 代理报告已结束，但没有结果
        its engine does not know it any more ¦ 引擎已不知道它
        its engine does not run it any more, and it left no word ¦ 引擎已不再运行它，它也没有留下记录
        by the word of its engine ¦ 据引擎所说
        its engine ended it before it started ¦ 引擎在它启动前就结束了它
        its engine has lost it ¦ 引擎把它弄丢了
        its supervisor went away under it ¦ 它的监护进程消失了
        its order on disk cannot be read ¦ 磁盘上的指令无法读取
        its exit record cannot be read ¦ 退出记录无法读取
        a newer run of this job was claimed here ¦ 此作业更新的一次运行已在这里启动
        the output '{0}' did not arrive here; its description promises it ¦ 描述中承诺的输出 {0} 没有送达
        nothing stands at outputs/{0}, which its description promises ¦ outputs/{0} 处什么也没有，而描述中承诺了它
        '{0}', which it waits for, failed ¦ 它所等待的 {0} 失败了
        '{0}', which it waits for, was cancelled ¦ 它所等待的 {0} 被取消了
        voucher for {0}: {1} ¦ 发给 {0} 的额度：{1}
        voucher for {0} ¦ 发给 {0} 的额度
        set aside for {0} ¦ 为 {0} 预留
        settled for {0} ¦ 为 {0} 结算
        {0} was changed ¦ {0} 已被改动
        {0} is missing ¦ 缺少 {0}
        line {0}: is missing ¦ 第 {0} 行：缺失
        {0} is missing, or no manifest ¦ 缺少 {0}，或者它不是清单
        {0} is not in the manifest ¦ {0} 不在清单中
        has more than {0} files ¦ 文件多于 {0} 个
        is no manifest of an audit pack ¦ 不是审计包的清单
        names no file and digest ¦ 没有写明文件和摘要
        is not the root of these files ¦ 不是这些文件的根
        """
}
