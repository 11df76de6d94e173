using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <content>Looks ahead in the server's dialplan: whether an extension that is saying something goes on to dial somebody.</content>
internal sealed partial class AsteriskAdapter
{
    private const int MostExtensions = 1000;

    // Many calls go to the same few extensions; a dialplan that is reloaded is seen soon enough.
    private const long LookAheadAgain = 30_000;

    // Only one asks at a time (AskDestinationsAsync).
    private readonly Dictionary<(string Context, string Exten), (long Until, DialplanStep[] Steps)> _dialplan = [];

    private async Task<bool> DialsLaterAsync(AsteriskSession session, AmiMessage channel, string application, string? exten)
    {
        // Without the right to look ahead the extension counts as the destination.
        if (!session.Commands.Contains("ShowDialPlan")) return false;
        if (exten is null || channel.Get("Context"u8) is not { } context || !int.TryParse(channel.Get("Priority"u8), NumberStyles.None, CultureInfo.InvariantCulture, out int priority)) return false;
        // What somebody dialled could not be sent back to the server.
        if (exten.Any(char.IsControl) || context.Any(char.IsControl)) return false;
        if (!_dialplan.TryGetValue((context, exten), out (long Until, DialplanStep[] Steps) known) || known.Until < Environment.TickCount64)
        {
            AmiReply reply = await session.Ami.RequestAsync(new AmiAction("ShowDialPlan").Add("Context", context).Add("Extension", exten), CancellationToken.None).ConfigureAwait(false);
            known = (Environment.TickCount64 + LookAheadAgain, [.. (reply.Items ?? []).Select(Step).OfType<DialplanStep>()]);
            if (_dialplan.Count >= MostExtensions) _dialplan.Clear();
            _dialplan[(context, exten)] = known;
        }

        return DestinationRules.DialsLater(known.Steps, priority, application);
    }

    private static DialplanStep? Step(AmiMessage item) =>
        item.Get("Application"u8) is { } application && int.TryParse(item.Get("Priority"u8), NumberStyles.None, CultureInfo.InvariantCulture, out int priority)
            ? new DialplanStep(item.Get("Context"u8) ?? "", item.Get("Extension"u8) ?? "", priority, application)
            : null;
}
