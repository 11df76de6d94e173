using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>
/// What one conversation has and the other has not: replies and lists in their order, and the events of each channel,
/// each dial, each bridge and each call's records among themselves, as how the server's threads interleave differs from one
/// recording to the next. Of a message every header is compared: its name, its place, and its value unless that is an id or a
/// time.
/// </summary>
internal static partial class ManagerComparison
{
    // Not played: what the dialplan does by itself, the log of channel events, logins for the security log, and what builds for tests tell.
    private static readonly string[] ClassesNotPlayed = ["dialplan,all", "security,all", "reporting,all", "system,all"];
    private static readonly string[] EventsNotPlayed = ["CEL", "DeviceStateChange", "MessageWaiting", "ExtensionStatus", "PresenceStatus"];
    private static readonly string[] Unordered = ["CoreShowChannel", "Status", "ChannelHungup"];
    private static readonly string[] OfTheMoment = ["Uptime", "LastReload", "Timestamp", "Duration", "BillableSeconds", "Seconds", "DurationMs", "AnsweredTime", "Wait", "LoginTime", "CoreStartupDate", "CoreStartupTime", "CoreReloadDate", "CoreReloadTime", "CoreProcessedCalls", "Challenge"];

    /// <summary>True if the simulator is to say it.</summary>
    public static bool IsPlayed(ManagerMessage message) =>
        message.Event is null or "FullyBooted" or "Shutdown" || (!EventsNotPlayed.Contains(message.Event) && !(message["Privilege"] is { } privilege && ClassesNotPlayed.Contains(privilege)));

    /// <summary>True of what a scenario leaves out: an event by its name, all that answers an action by #ActionID. Headers are left out as Event.Header, or .Header of all.</summary>
    public static bool IsLeftOut(ManagerMessage message, IReadOnlyCollection<string> without) => (message.Event is { } name && without.Contains(name)) || (message["ActionID"] is { } id && without.Contains($"#{id}"));

    /// <summary>Lines of what is not the same.</summary>
    public static List<string> Differences(IReadOnlyList<ManagerMessage> expected, IReadOnlyList<ManagerMessage> actual, IReadOnlyCollection<string> without)
    {
        Dictionary<string, List<string>> left = Streams(expected, without), right = Streams(actual, without);
        var lines = new List<string>();
        foreach (string stream in left.Keys.Union(right.Keys))
        {
            List<string> one = left.GetValueOrDefault(stream, []), other = right.GetValueOrDefault(stream, []);
            for (int i = 0; i < Math.Max(one.Count, other.Count); i++)
            {
                string there = one.ElementAtOrDefault(i) ?? "nothing", here = other.ElementAtOrDefault(i) ?? "nothing";
                if (there == here) continue;
                lines.Add($"{stream} [{i}]: {Differing(there, here)}");
                if (there.Split('|')[0] != here.Split('|')[0]) break;
            }
        }

        return lines;
    }

    private static string Differing(string there, string here)
    {
        string[] one = there.Split('|'), other = here.Split('|');
        if (one[0] != other[0] || one.Order(StringComparer.Ordinal).SequenceEqual(other.Order(StringComparer.Ordinal))) return $"recorded {there}, simulated {here}";
        return $"{one[0]}: recorded {string.Join('|', one.Except(other))}, simulated {string.Join('|', other.Except(one))}";
    }

    private static Dictionary<string, List<string>> Streams(IReadOnlyList<ManagerMessage> messages, IReadOnlyCollection<string> without)
    {
        var names = new ManagerNames(messages);
        var streams = new Dictionary<string, List<string>>();
        foreach (ManagerMessage message in messages.Where(IsPlayed))
        {
            if (IsLeftOut(message, without)) continue;
            string stream = Stream(message, names);
            if (!streams.TryGetValue(stream, out List<string>? list)) streams[stream] = list = [];
            // Channels are listed in the order of a table of the server's: any.
            int at = list.Count;
            string said = string.Join('|', message.Headers.Where(h => !without.Contains($"{message.Event}.{h.Key}") && !without.Contains($".{h.Key}")).Select(h => $"{h.Key}: {Value(message, h.Key, names.Canonical(h.Value))}"));
            while (Unordered.Contains(message.Event) && at > 0 && list[at - 1].StartsWith($"Event: {message.Event}|", StringComparison.Ordinal) && string.CompareOrdinal(list[at - 1], said) > 0) at--;
            list.Insert(at, said);
        }

        return streams;
    }

    private static string Stream(ManagerMessage message, ManagerNames names)
    {
        string Of(string header) => names.Canonical(message[header] ?? "");
        return message.Event switch
        {
            null => "replies",
            "OriginateResponse" => $"outcome {Of("ActionID")}",
            "UserEvent" => "user",
            "Cdr" => $"cdr {Of("Channel")}",
            "DialBegin" or "DialState" or "DialEnd" => $"dial {Of("DestChannel")}",
            _ when message["ActionID"] is not null || message["Privilege"] is null or "Call" => "replies",
            "LocalBridge" => $"local {Of("LocalOneChannel")}",
            _ when message.Event.StartsWith("Confbridge", StringComparison.Ordinal) => $"room {Of("Conference")} {Of("Channel")}",
            _ when message["Channel"] is not null => $"channel {Of("Channel")}",
            _ when message["BridgeUniqueid"] is not null && message["TransfererChannel"] is null && message["OrigTransfererChannel"] is null => $"bridge {Of("BridgeUniqueid")}",
            _ => message.Event,
        };
    }

    private static string Value(ManagerMessage message, string header, string value)
    {
        if (OfTheMoment.Contains(header)) return value.Length == 0 ? "" : "#";
        // Who leaves first is chance.
        if (message.Event == "BridgeLeave" && header == "BridgeNumChannels" && message["BridgeType"] == "basic") return "either";
        // Newstate and DialState come in either order.
        if (message.Event == "DialState" && header.StartsWith("DestChannelState", StringComparison.Ordinal)) return "either";
        return Times().Replace(value, "<time>");
    }

    [GeneratedRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}")]
    private static partial Regex Times();
}
