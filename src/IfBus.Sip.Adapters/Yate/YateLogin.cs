using System.Globalization;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>There is no login: whoever reaches the port is in. Subscribes, and learns what the engine has.</summary>
internal static class YateLogin
{
    /// <summary>Does it all, many requests at a time: one by one each would cost 45 ms.</summary>
    public static async Task<YateLoginResult> RunAsync(ExtModuleSession session, string name, ILogger log, CancellationToken cancellationToken)
    {
        Task<ExtModuleAnswer> version = session.LocalAsync("setlocal", "engine.version:", cancellationToken);
        Task<ExtModuleAnswer> run = session.LocalAsync("setlocal", "runid:", cancellationToken);
        Task<ExtModuleAnswer>[] watches = [.. YateMapper.Watched.Select(m => session.LocalAsync("watch", m, cancellationToken))];
        // Asked before those that end the calls for it; who only watches may be told of their ends first.
        Task<ExtModuleAnswer> stop = session.LocalAsync("install", "10:engine.stop", cancellationToken);
        Task<ExtModuleAnswer> status = session.SendAsync(new ExtModuleMessage("engine.status") { { "details", "false" } }, cancellationToken);
        var watching = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < watches.Length; i++)
        {
            if ((await watches[i].ConfigureAwait(false)).Processed) watching.Add(YateMapper.Watched[i]);
        }

        await stop.ConfigureAwait(false);
        List<YateStatus> modules = YateStatus.Parse((await status.ConfigureAwait(false)).Value);
        // "engine.version:6.4.1"
        var result = new YateLoginResult(
            "Yate " + Last(await version.ConfigureAwait(false)),
            Last(await run.ConfigureAwait(false)),
            watching,
            modules.Select(m => m.Name).ToHashSet(StringComparer.Ordinal),
            [.. modules.Where(m => m["format"]?.Split('|').Contains("Peer") == true).Select(m => m.Name)]);
        if (!result.HasCallEvents) Log.NoCallEvents(log, name);
        return result;
    }

    /// <summary>The engine's channels: who, in which state, with whom.</summary>
    public static async Task<List<YateChannel>> ListAsync(ExtModuleSession session, YateLoginResult login, CancellationToken cancellationToken)
    {
        Task<ExtModuleAnswer> records = session.SendAsync(new ExtModuleMessage("engine.status") { { "module", "cdrbuild" } }, cancellationToken);
        Task<ExtModuleAnswer>[] drivers = [.. login.Drivers.Where(d => !YateNumbers.IsMedia(d + "/")).Select(d => session.SendAsync(new ExtModuleMessage("engine.status") { { "module", d } }, cancellationToken))];
        var peers = new Dictionary<string, YateStatusRow>(StringComparer.Ordinal);
        foreach (Task<ExtModuleAnswer> driver in drivers)
        {
            foreach (YateStatusRow row in YateStatus.Parse((await driver.ConfigureAwait(false)).Value).SelectMany(m => m.Rows)) peers[row.Id] = row;
        }

        return
        [
            .. YateStatus.Parse((await records.ConfigureAwait(false)).Value).SelectMany(m => m.Rows).Select(row =>
            {
                YateStatusRow? channel = peers.GetValueOrDefault(row.Id);
                return new YateChannel(
                    row.Id, row["Status"], row["Caller"], row["Called"], row["BillId"],
                    int.TryParse(row["Duration"], NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) ? seconds : null,
                    channel?["Address"], channel?["Peer"]);
            }),
        ];
    }

    private static string Last(ExtModuleAnswer answer) => answer.Value[(answer.Value.IndexOf(':', StringComparison.Ordinal) + 1)..];
}
