using System.Globalization;
using System.Security;
using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>What the server knows of its SIP side: profile, gateways, registered phones, users.</summary>
internal sealed partial class ApiCommands
{
    private const string Line = "=================================================================================================\n";
    private const string XmlHeader = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n";

    private void AddSofia()
    {
        _functions["sofia"] = Sofia;
        _functions["sofia_contact"] = a => Options.Registrations.FirstOrDefault(r => ByteText.Of(r.User) == a.Split('@', '/')[0]) is { } r ? $"sofia/internal/{ByteText.Of(r.Contact)}" : "error/user_not_registered";
        _functions["sofia_count_reg"] = _ => "-1";
        _functions["user_exists"] = a => Words(a, 4) is [_, var user, ..] && Users().Any(u => u.Name == user) ? "true" : "false";
        _functions["list_users"] = _ => "userid|context|domain|group|contact|callgroup|effective_caller_id_name|effective_caller_id_number\n"
            + string.Concat(Users().Select(u => $"{u.Name}||127.0.0.1|default|{u.Contact}|||\n")) + "\n+OK\n";
    }

    private IEnumerable<(string Name, string Contact)> Users() =>
        Options.Registrations.Select(r => (ByteText.Of(r.User), $"sofia/internal/{ByteText.Of(r.Contact)}")).Concat(Options.Users.Select(u => (ByteText.Of(u.Name), "error/user_not_registered")));

    private string Sofia(string argument)
    {
        string[] words = Words(argument, 10);
        string first = words.Length > 0 ? words[0].ToLowerInvariant() : "";
        string second = words.Length > 1 ? words[1].ToLowerInvariant() : "";
        string? third = words.Length > 2 ? words[2] : null;
        bool registrations = words.Length > 3 && words[3].Is("reg");
        switch (first, second)
        {
            case ("status", ""):
                return Line.Insert(0, $"{"Name",25}\t{"Type",7}\t{"Data",42}\tState\n") + $"{"internal",25}\tprofile\t{SofiaVariables.ProfileUrl,42}\tRUNNING ({Talking()})\n"
                    + string.Concat(Gateways().Select(g => $"{"internal::" + g.Name,25}\tgateway\t{"sip:fs@127.0.0.1:5070",42}\t{g.State}\n")) + Line + "1 profile 0 aliases\n";
            case ("status", "profile"):
                return third is null ? "-ERR Invalid syntax!\n" : !third.Is("internal") ? "Invalid Profile!\n" : registrations ? Registered() : Profile();
            case ("status", "gateway"):
                return third is null ? GatewayTable() : Gateways().FirstOrDefault(g => g.Name == third) is { Name: { } name } found ? Gateway(name, found) : "Invalid Gateway!\n";
            case ("xmlstatus", ""):
                return $"{XmlHeader}<profiles>\n<profile>\n<name>internal</name>\n<type>profile</type>\n<data>{SofiaVariables.ProfileUrl}</data>\n<state>RUNNING ({Talking()})</state>\n</profile>\n"
                    + string.Concat(Gateways().Select(g => $"<gateway>\n<name>{g.Name}</name>\n<type>gateway</type>\n<data>sip:fs@127.0.0.1:5070</data>\n<state>{g.State}</state>\n</gateway>\n")) + "</profiles>\n";
            case ("xmlstatus", "profile"):
                return third is null ? "Invalid Syntax!\n" : !third.Is("internal") ? "Invalid Profile!\n" : registrations ? RegisteredAsXml() : ProfileAsXml();
            case ("xmlstatus", "gateway"):
                if (third is null) return $"{XmlHeader}<gateways>\n{string.Concat(Gateways().Select(GatewayAsXml))}</gateways>\n";
                return Gateways().FirstOrDefault(g => g.Name == third) is { Name: not null } one ? XmlHeader + GatewayAsXml(one) : "Invalid Gateway!\n";
            case ("profile", _):
                return !second.Is("internal") ? $"Invalid Profile [{second}]" : third is null ? "Invalid Syntax!\n" : third.Is("siptrace") ? $"{(words.Length > 3 && words[3].Is("on") ? "Enabled" : "Disabled")} sip debugging on internal" : $"+OK {third}";
            default:
                return "USAGE:\n--------------------------------------------------------------------------------\nsofia global siptrace <on|off>\nsofia status|xmlstatus [profile <name> [reg [<contact str>]]|gateway [<name>]]\n";
        }
    }

    private int Talking() => _board.Channels.Count(c => c.Endpoint == "sofia");

    private IEnumerable<(string Name, string State, string Status)> Gateways() => Options.Gateways.Select(g =>
    {
        bool down = g.StartsWith("unreach", StringComparison.OrdinalIgnoreCase) || g.StartsWith("nocontact", StringComparison.OrdinalIgnoreCase);
        return (ByteText.Of(g), down ? "FAIL_WAIT" : "NOREG", down ? "DOWN" : "UP");
    });

    private string GatewayTable() => $"{"Profile::Gateway-Name",25}\t{"Data",28}    \tState\tPing Time\tIB Calls(F/T)\tOB Calls(F/T)\n{Line}"
        + string.Concat(Gateways().Select(g => $"{"internal::" + g.Name,25}\t{"sip:fs@127.0.0.1:5070",32}\t{g.State}\t0.00\t0/0\t0/0\n")) + Line
        + $"{Options.Gateways.Count} gateway{(Options.Gateways.Count == 1 ? "" : "s")}: Inbound(Failed/Total): 0/0,Outbound(Failed/Total):0/0\n";

    private string Gateway(string name, (string Name, string State, string Status) g) =>
        $"{Line}Name    \t{name}\nProfile \tinternal\nScheme  \tDigest\nRealm   \t127.0.0.1\nUsername\tfs\nPassword\tyes\nFrom    \t<sip:fs@127.0.0.1:5070>\nContact \t<sip:gw+{name}@127.0.0.1:5060;transport=udp;gw={name}>\n"
        + "Exten   \tfs\nTo      \tsip:fs@127.0.0.1:5070\nProxy   \tsip:127.0.0.1:5070\nContext \tdefault\nExpires \t3600\nFreq    \t3600\nPing    \t0\nPingFreq\t0\nPingTime\t0.00\nPingState\t0/0/0\n"
        + $"State   \t{g.State}\nStatus  \t{g.Status}\nUptime  \t{(long)_board.Uptime.TotalSeconds}s\nCallsIN \t0\nCallsOUT\t0\nFailedCallsIN\t0\nFailedCallsOUT\t0\n{Line}";

    private string GatewayAsXml((string Name, string State, string Status) g) =>
        $"  <gateway>\n    <name>{g.Name}</name>\n    <profile>internal</profile>\n    <scheme>Digest</scheme>\n    <realm>127.0.0.1</realm>\n    <username>fs</username>\n    <password>yes</password>\n"
        + $"    <from>&lt;sip:fs@127.0.0.1:5070&gt;</from>\n    <contact>&lt;sip:gw+{g.Name}@127.0.0.1:5060;transport=udp;gw={g.Name}&gt;</contact>\n    <exten>fs</exten>\n    <to>sip:fs@127.0.0.1:5070</to>\n"
        + "    <proxy>sip:127.0.0.1:5070</proxy>\n    <context>default</context>\n    <expires>3600</expires>\n    <freq>3600</freq>\n    <ping>0</ping>\n    <pingfreq>0</pingfreq>\n    <pingmin>0</pingmin>\n"
        + "    <pingcount>0</pingcount>\n    <pingmax>0</pingmax>\n    <pingtime>0.00</pingtime>\n    <pinging>0</pinging>\n"
        + $"    <state>{g.State}</state>\n    <status>{g.Status}</status>\n    <uptime-usec>{_board.Uptime.Ticks / 10}</uptime-usec>\n    <calls-in>0</calls-in>\n    <calls-out>0</calls-out>\n"
        + "    <failed-calls-in>0</failed-calls-in>\n    <failed-calls-out>0</failed-calls-out>\n  </gateway>\n";

    private string Profile()
    {
        (string Name, string Value)[] fields =
        [
            ("Name", "internal"), ("Domain Name", "N/A"), ("Auto-NAT", "false"), ("DBName", "sofia_reg_internal"), ("Pres Hosts", ""), ("Dialplan", "XML"), ("Context", "default"),
            ("Challenge Realm", "auto_to"), ("RTP-IP", "127.0.0.1"), ("SIP-IP", "127.0.0.1"), ("URL", SofiaVariables.ProfileUrl), ("BIND-URL", SofiaVariables.ProfileUrl + ";transport=udp,tcp"),
            ("HOLD-MUSIC", "N/A"), ("OUTBOUND-PROXY", "N/A"), ("CODECS IN", "PCMU,PCMA"), ("CODECS OUT", "PCMU,PCMA"), ("TEL-EVENT", "101"), ("DTMF-MODE", "rfc2833"), ("CNG", "13"),
            ("SESSION-TO", "0"), ("MAX-DIALOG", "0"), ("MAX-RECV-RPS", "1000"), ("NOMEDIA", "false"), ("LATE-NEG", "false"), ("PROXY-MEDIA", "false"), ("AGGRESSIVENAT", "false"),
            ("CALLS-IN", "0"), ("FAILED-CALLS-IN", "0"), ("CALLS-OUT", "0"), ("FAILED-CALLS-OUT", "0"), ("REGISTRATIONS", $"{Options.Registrations.Count}"),
        ];
        return Line + string.Concat(fields.Select(f => $"{f.Name,-17}\t{f.Value}\n"));
    }

    private string ProfileAsXml() =>
        $"{XmlHeader}<profile>\n  <profile-info>\n    <name>internal</name>\n    <domain-name>N/A</domain-name>\n    <auto-nat>false</auto-nat>\n    <db-name>sofia_reg_internal</db-name>\n    <pres-hosts></pres-hosts>\n"
        + "    <dialplan>XML</dialplan>\n    <context>default</context>\n    <challenge-realm>auto_to</challenge-realm>\n    <rtp-ip>127.0.0.1</rtp-ip>\n    <sip-ip>127.0.0.1</sip-ip>\n"
        + $"    <url>{SofiaVariables.ProfileUrl}</url>\n    <bind-url>{SofiaVariables.ProfileUrl};transport=udp,tcp</bind-url>\n    <hold-music>N/A</hold-music>\n    <outbound-proxy>N/A</outbound-proxy>\n"
        + "    <inbound-codecs>PCMU,PCMA</inbound-codecs>\n    <outbound-codecs>PCMU,PCMA</outbound-codecs>\n    <tel-event>101</tel-event>\n    <dtmf-mode>rfc2833</dtmf-mode>\n    <cng>13</cng>\n"
        + "    <session-to>0</session-to>\n    <max-dialog>0</max-dialog>\n    <max-recv-rps>1000</max-recv-rps>\n    <nomedia>false</nomedia>\n    <late-neg>false</late-neg>\n    <proxy-media>false</proxy-media>\n"
        + "    <aggressive-nat>false</aggressive-nat>\n    <calls-in>0</calls-in>\n    <calls-out>0</calls-out>\n    <failed-calls-in>0</failed-calls-in>\n    <failed-calls-out>0</failed-calls-out>\n"
        + $"    <registrations>{Options.Registrations.Count}</registrations>\n  </profile-info>\n</profile>\n";

    private string Registered()
    {
        var text = new StringBuilder("\nRegistrations:\n" + Line);
        foreach (FreeSwitchSimulatorRegistration r in Options.Registrations)
        {
            (string host, string port) = Address(ByteText.Of(r.Contact));
            string user = ByteText.Of(r.User);
            text.Append(CultureInfo.InvariantCulture, $"Call-ID:    \t{user}-reg\nUser:       \t{user}@127.0.0.1\nContact:    \t\"\" <{ByteText.Of(r.Contact)}>\nAgent:      \tsimulated\n")
                .Append(CultureInfo.InvariantCulture, $"Status:     \tRegistered(UDP)(unknown) EXP({_board.LocalTime(_board.Now + 3_600_000_000)}) EXPSECS(3600)\nPing-Status:\tReachable\nPing-Time:\t0.00\n")
                .Append(CultureInfo.InvariantCulture, $"Host:       \tlocalhost\nIP:         \t{host}\nPort:       \t{port}\nAuth-User:  \t{user}\nAuth-Realm: \t127.0.0.1\nMWI-Account:\t{user}@127.0.0.1\n\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"Total items returned: {Options.Registrations.Count}\n{Line}").ToString();
    }

    private string RegisteredAsXml()
    {
        var text = new StringBuilder(XmlHeader + "<profile>\n  <registrations>\n");
        foreach (FreeSwitchSimulatorRegistration r in Options.Registrations)
        {
            (string host, string port) = Address(ByteText.Of(r.Contact));
            string user = SecurityElement.Escape(ByteText.Of(r.User));
            text.Append(CultureInfo.InvariantCulture, $"    <registration>\n        <call-id>{user}-reg</call-id>\n        <user>{user}@127.0.0.1</user>\n        <contact>&quot;&quot; &lt;{SecurityElement.Escape(ByteText.Of(r.Contact))}&gt;</contact>\n")
                .Append(CultureInfo.InvariantCulture, $"        <agent>simulated</agent>\n        <status>Registered(UDP)(unknown) exp({_board.LocalTime(_board.Now + 3_600_000_000)}) expsecs(3600)</status>\n")
                .Append(CultureInfo.InvariantCulture, $"        <ping-status>Reachable</ping-status>\n        <ping-time>0.00</ping-time>\n        <host>localhost</host>\n        <network-ip>{host}</network-ip>\n        <network-port>{port}</network-port>\n")
                .Append(CultureInfo.InvariantCulture, $"        <sip-auth-user>{user}</sip-auth-user>\n        <sip-auth-realm>127.0.0.1</sip-auth-realm>\n        <mwi-account>{user}@127.0.0.1</mwi-account>\n    </registration>\n");
        }

        return text.Append("  </registrations>\n</profile>\n").ToString();
    }
}
