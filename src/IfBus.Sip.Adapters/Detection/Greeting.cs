namespace IfBus.Sip.Adapters.Detection;

/// <summary>Who speaks by himself, and who he is by that (wire/asterisk, wire/freeswitch, wire/yate).</summary>
internal static class Greeting
{
    /// <summary>True if more need not be waited for.</summary>
    public static bool IsWhole(string text) => text.Contains('\n', StringComparison.Ordinal) && (!text.StartsWith("Content-", StringComparison.Ordinal) || text.Contains("\n\n", StringComparison.Ordinal)) && !text.StartsWith('\xff');

    /// <summary>What a greeting says; host and port are the caller's to add.</summary>
    public static SipServerFinding Judge(string text, bool ended)
    {
        const string Manager = "Asterisk Call Manager/";
        string first = text.Split('\n')[0].Trim('\r', ' ', '\b');
        if (first.StartsWith(Manager, StringComparison.Ordinal))
        {
            string version = SipText.Printable(first[Manager.Length..]);
            return Of(SipServerType.Asterisk, usable: true, $"Asterisk Call Manager {version}", $"AMI {version}");
        }

        if (text.StartsWith("Content-Type: auth/request", StringComparison.Ordinal)) return Of(SipServerType.FreeSwitch, usable: true, "Event Socket that asks for a login");
        if (text.Contains("Content-Type: text/rude-rejection", StringComparison.Ordinal)) return Of(SipServerType.FreeSwitch, usable: false, "an Event Socket that refuses this machine's address (apply-inbound-acl in event_socket.conf)");
        if (text.Contains("YATE ", StringComparison.Ordinal) && text.Contains("ready on", StringComparison.Ordinal)) return Of(SipServerType.Yate, usable: false, "Yate's console (rmanager); what is needed is a listener of extmodule.conf");
        string said = new([.. first.Where(static c => c is >= ' ' and <= '~').Take(60)]);
        string what = said.Length > 0 ? $"says '{said}', as none of the known kinds does" : text.Length > 0 ? "says something that none of the known kinds does" : ended ? "closes the connection at once" : "says nothing";
        return Of(null, usable: false, what);
    }

    private static SipServerFinding Of(SipServerType? type, bool usable, string evidence, string? version = null) => new() { Host = "", Port = 0, Type = type, IsUsable = usable, Evidence = evidence, Version = version };
}
