using System.Globalization;
using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>Our verbs as commands of the server. Every value from a caller is checked here, with its parameter's name, before anything is sent.</summary>
internal static class OpenSipsCommands
{
    /// <summary>Context value of a call that the server makes: its if:// name, for the server's script ($b2b_logic.ctx).</summary>
    public const string CallVariable = "ifbus_call";

    /// <summary>The application that a call of one leg names.</summary>
    public const string Session = "ua_session";

    // A phone that answers gets an offer without media: it talks to nobody.
    private const string SilentOffer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 8\r\na=inactive\r\n";

    /// <summary>A call between two addresses: INVITE to the first without an offer, to the second with the first's, then joined.</summary>
    public static RpcParameters Join(SipCallRequest request, string callId, string from, string to)
    {
        var context = new List<string> { $"{CallVariable}=if://call/{callId}" };
        foreach ((string name, string value) in request.Variables)
        {
            if (!CallRules.IsVariable(name)) throw new SipArgumentException("Variable", name, CallRules.VariableRule + ".");
            if (name == CallVariable) throw new SipArgumentException("Variable", name, "this variable is set by the call itself.");
            if (value.Length > 500 || value.Any(char.IsControl)) throw new SipArgumentException("Variable", $"{name}={value}", "a value has at most 500 characters, without control characters.");
            context.Add($"{name}={value}");
        }

        string shown = request.CallerId is { } callerId ? "," + DisplayName(callerId) : "";
        return RpcParameters.Named(("scenario_id", callId), ("entity1", $"client1,{from}{shown}"), ("entity2", $"client2,{to}{shown}"), ("context", context.ToArray()));
    }

    /// <summary>A call of one leg, with an offer of the caller's or a silent one.</summary>
    public static RpcParameters CallOne(SipCallRequest request, string to, string host)
    {
        if (request.Play is { } sound) throw new SipArgumentException("Play", sound, "OpenSIPS has no media; a media server can play. -Application ua_session calls a phone with an offer of your own.");
        if (request.Application != Session) throw new SipArgumentException("Application", request.Application, $"OpenSIPS runs no applications; {Session} is the one kind of call of one leg: -ApplicationData is the SDP that it offers, left out a silent one.");
        if (request.Variables.Count > 0) throw new SipArgumentException("Variable", request.Variables[0].Key, "a call of one leg takes no variables on OpenSIPS.");
        string from = $"sip:ifbus@{host}";
        if (request.CallerId is { } callerId)
        {
            (string name, string number) = CallRules.CallerId(callerId);
            if (number.Contains('#', StringComparison.Ordinal)) throw new SipArgumentException("CallerId", callerId, "a number without # .");
            if (name.Contains(',', StringComparison.Ordinal)) throw new SipArgumentException("CallerId", callerId, "a name without commas.");
            if (number.Length > 0) from = $"sip:{number}@{host}";
            if (name.Length > 0) from = $"{name},{from}";
        }

        // a: tell of the answer to our own requests; r: tell of provisional and final replies. Headers and bodies are not needed.
        return RpcParameters.Named(("ruri", to), ("to", to), ("from", from), ("body", Offer(request.ApplicationData)), ("flags", "ar"));
    }

    /// <summary>The cause as a header of BYE or CANCEL (RFC 3326).</summary>
    public static string Reason(HangupCause cause)
    {
        CallRules.CheckCause(cause);
        return string.Create(CultureInfo.InvariantCulture, $"Reason: Q.850;cause={(int)cause}\r\n");
    }

    /// <summary>
    /// A raw command. Fields go by their names; names that are numbers are positions. A value of digits goes as a number, one
    /// that begins with = as the text behind it, one in [ ] as the JSON list that it is, all else as text; a name that comes
    /// several times is a list.
    /// </summary>
    public static RpcParameters Raw(SipCommandRequest request)
    {
        if (!CallRules.IsWord(request.Name)) throw new SipArgumentException("Name", request.Name, "the name of an MI command: letters, digits and . _ - (which lists them).");
        if (request.Name == "t_hash") throw new SipArgumentException("Name", request.Name, "it blocks the server's only HTTP process for many seconds (seen with 3.6.8); use the FIFO for it.");
        var values = request.Fields.GroupBy(f => f.Key, StringComparer.Ordinal).Select(g => (Name: g.Key, Value: g.Count() == 1 ? Value(g.Key, g.First().Value) : RpcValue.List([.. g.Select(f => Value(g.Key, f.Value))]))).ToList();
        if (values.Count == 0) return RpcParameters.None;
        bool positional = values.All(v => int.TryParse(v.Name, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        if (!positional)
        {
            if (values.Find(v => !CallRules.IsWord(v.Name)) is { Name: { } bad }) throw new SipArgumentException("Field", bad, "the name of a parameter, or positions 1, 2, 3 for all.");
            return RpcParameters.Named([.. values]);
        }

        return RpcParameters.Of([.. values.OrderBy(v => int.Parse(v.Name, CultureInfo.InvariantCulture)).Select(v => v.Value)]);
    }

    private static RpcValue Value(string name, string value)
    {
        if (value.StartsWith('=')) return value[1..];
        if (value is ['[', .., ']'])
        {
            try
            {
                using JsonDocument list = JsonDocument.Parse(value);
                return RpcValue.List([.. list.RootElement.EnumerateArray().Select(i => i.ValueKind switch
                {
                    JsonValueKind.String => (RpcValue)i.GetString()!,
                    JsonValueKind.Number when i.TryGetInt32(out int number) => number,
                    _ => throw new SipArgumentException("Field", $"{name}={value}", "a JSON list of texts and whole numbers."),
                })]);
            }
            catch (JsonException)
            {
                throw new SipArgumentException("Field", $"{name}={value}", "what is written in [ ] is a JSON list; a text that begins with [ is written with = before it.");
            }
        }

        return value.Length is > 0 and <= 10 && int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int whole) ? whole : value;
    }

    // The addresses that the parties are shown are each other's; only the name can be chosen.
    private static string DisplayName(string callerId)
    {
        const string Rule = "OpenSIPS shows each party the other's address; only a name can be added: letters, digits, blanks and . - _ ' at most 80, for instance 'Ann Lee'. A number in < > cannot be shown.";
        string name = callerId.EndsWith("<>", StringComparison.Ordinal) ? callerId[..^2].Trim() : callerId;
        return name.Length is > 0 and <= 80 && name.All(c => char.IsLetterOrDigit(c) || c is ' ' or '.' or '-' or '_' or '\'') && name == name.Trim() ? name : throw new SipArgumentException("CallerId", callerId, Rule);
    }

    private static string Offer(string? sdp)
    {
        if (string.IsNullOrEmpty(sdp)) return SilentOffer;
        const string Rule = "an SDP (RFC 8866) of at most 4000 characters: lines such as v=0, o=..., m=..., with line breaks between them and no other control characters; the first is v=0.";
        string[] lines = sdp.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        bool good = sdp.Length <= 4000 && lines[0] == "v=0" && lines.All(l => l.Length >= 2 && char.IsAsciiLetterLower(l[0]) && l[1] == '=' && !l.Any(char.IsControl));
        return good ? string.Join("\r\n", lines) + "\r\n" : throw new SipArgumentException("ApplicationData", sdp, Rule);
    }
}
