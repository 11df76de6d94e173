namespace IfBus.Sip.Adapters.Yate;

/// <content>Counters.</content>
internal sealed partial class YateAdapter
{
    protected override async Task<SipStatistic> GetStatisticsAsync(YateSession session, CancellationToken cancellationToken)
    {
        Task<ExtModuleAnswer> records = StatusAsync(session, "cdrbuild", cancellationToken);
        List<YateStatus> modules = YateStatus.Parse((await session.Engine.SendAsync(new ExtModuleMessage("engine.status") { { "details", "false" } }, cancellationToken).ConfigureAwait(false)).Value);
        YateStatus? calls = YateStatus.Parse((await records.ConfigureAwait(false)).Value).FirstOrDefault();
        // Those of tones, files and rooms are no legs of calls.
        YateStatus[] drivers = [.. modules.Where(m => session.Login.Drivers.Contains(m.Name) && !YateNumbers.IsMedia(m.Name + "/"))];
        return new SipStatistic
        {
            Server = Name,
            ServerType = SipServerType.Yate,
            Version = session.Version,
            StartedAt = session.StartedAt,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
            ActiveCalls = calls?.Rows.Select(r => r["BillId"]).Where(b => b is not null).Distinct().Count(),
            ActiveChannels = drivers.Sum(d => d.Number("chans") ?? 0),
            // Channels, one a leg: the engine does not count calls.
            ProcessedCalls = drivers.Sum(d => (long)(d.Number("total") ?? 0)),
            Fields = new SipFieldCollection([.. modules.SelectMany(m => m.Fields.Where(f => f.Name is not ("name" or "type")).Select(f => new SipField($"{m.Name}.{f.Name}", f.Value)))]),
        };
    }
}
