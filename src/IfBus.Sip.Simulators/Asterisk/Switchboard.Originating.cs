using System.Globalization;

namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The part of the switchboard that carries out an Originate: the leg that it calls, and what becomes of it.</summary>
internal sealed partial class Switchboard
{
    private void OriginatePhone(SimOriginate originate, string rest, string id, bool chosen, SimCaller by, TimeSpan timeout, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        // PJSIP/phone, PJSIP/number@trunk, PJSIP/trunk/sip:...
        string endpoint = rest.Split('/')[0];
        if (endpoint.Split('@') is [_, { Length: > 0 } trunk]) endpoint = trunk;
        PhoneBehaviour phone = PhoneBehaviour.Of(rest.Split("/sip:") is [_, { } uri] ? uri.Split('@')[0] : endpoint, isExtension: false);
        if (phone.Kind is PhoneKind.Unknown or PhoneKind.Unreachable || !IsName(endpoint))
        {
            Respond(originate, null, chosen ? id : "", 0, by);
            return;
        }

        bool early = Options.Faults.Reorder && phone.Kind == PhoneKind.Fails;
        if (early) Respond(originate, null, id, 0, by);
        SimChannel channel = Make($"PJSIP/{endpoint}-{Serial()}", id, null, 0, c => (c.Originated, c.Application, c.Data) = (true, "AppDial2", "(Outgoing Line)"));
        foreach ((string key, string value) in variables) channel.Variables[key] = value;
        Identify(channel, by);
        Tell("DialBegin", "call", channel.Headers("Dest") + $"DialString: {rest}\r\n");
        channel.Originate = early ? null : originate;
        Call(
            channel, phone, caller: null, timeout,
            answered: () =>
            {
                channel.Originate = null;
                Respond(originate, channel, id, 4, by);
                RunDestination(channel, originate);
                if (phone.TalksFor is { } talk) After(channel, talk, () => FarEndHangsUp(channel));
            },
            failed: (cause, status, dialStatus, timedOut) =>
            {
                channel.Originate = null;
                if (!early) Respond(originate, null, chosen ? id : "", timedOut ? 3 : 0, by);
                Record(channel, null, dialStatus switch { "BUSY" => "BUSY", "CONGESTION" => "FAILED", _ => timedOut && IsVersion16 ? "FAILED" : "NO ANSWER" });
                Hangup(channel, timedOut && IsVersion16 ? 0 : cause, status);
            });
    }

    // What somebody could have called an endpoint, a context or an extension.
    private static bool IsName(string name) =>
        name.Length is > 0 and < 80 && name.Any(char.IsAsciiLetterOrDigit) && name.All(c => char.IsAsciiLetterOrDigit(c) || "_-+.*#".Contains(c, StringComparison.Ordinal));

    private void OriginateLocal(SimOriginate originate, string rest, string id, bool chosen, string otherId, SimCaller by, TimeSpan timeout, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        string exten = rest.Split('@')[0];
        // Everything after a slash is options: n, do not step out of the way.
        string option = rest.Contains('/', StringComparison.Ordinal) ? rest[rest.IndexOf('/', StringComparison.Ordinal)..] : "";
        string context = rest.Contains('@', StringComparison.Ordinal) ? rest[(rest.IndexOf('@', StringComparison.Ordinal) + 1)..].Split('/')[0] : "default";
        if (id.Equals(otherId, StringComparison.OrdinalIgnoreCase))
        {
            // One id for both halves: the second cannot be made.
            SimChannel alone = Make($"Local/{exten}@{context}-{Serial()};1", id, id, 0, c => (c.Exten, c.Context, c.Originated) = (exten, context, true));
            Respond(originate, null, chosen ? id : "", 0, by);
            Record(alone, null, "FAILED");
            Hangup(alone, 0, 0);
            return;
        }

        (SimChannel one, SimChannel two) = MakeLocal(exten, context, id, otherId, id);
        (one.Originated, one.Application, one.Data) = (true, "AppDial2", "(Outgoing Line)");
        two.Originated = true;
        foreach ((string key, string value) in variables) one.Variables[key] = two.Variables[key] = value;
        Identify(one, by);
        Identify(two, by, second: true);
        PhoneBehaviour there = Exists(context, exten, 1) ? PhoneBehaviour.Of(exten, isExtension: true) : new PhoneBehaviour(PhoneKind.Unknown);
        if (there.Kind == PhoneKind.Unknown)
        {
            // No extension: the halves are never put together.
            Respond(originate, null, chosen ? id : "", 0, by);
            Record(two, null, "FAILED");
            Record(one, null, "FAILED");
            Hangup(two, 0, 0);
            Hangup(one, 0, 0);
            return;
        }

        two.InDialplan = true;
        TellLocalBridge(one, two, optimises: !option.Contains('n', StringComparison.Ordinal));
        Tell("DialBegin", "call", one.Headers("Dest") + $"DialString: {rest}\r\n");
        one.Originate = originate;

        void Up()
        {
            SetState(two, 6);
            SetState(one, 6);
            Tell("DialEnd", "call", one.Headers("Dest") + "DialStatus: ANSWER\r\n");
            one.Originate = null;
            if (two.InDialplan && there.Kind == PhoneKind.Application) two.Priority = 2;
            Respond(originate, one, id, 4, by);
            RunDestination(one, originate);
        }

        void Fail(int reason, int causeOne, int causeTwo, string dialStatus)
        {
            one.Originate = null;
            string disposition = dialStatus == "BUSY" ? "BUSY" : dialStatus == "NOANSWER" ? "NO ANSWER" : "FAILED";
            bool ended = two.Application == "Hangup";
            if (ended)
            {
                // The second half ends by itself, and the first with it.
                Tell("SoftHangupRequest", "call", two.Headers() + "Cause: 16\r\n");
                Tell("HangupRequest", "call", one.Headers() + $"Cause: {causeTwo}\r\n");
                Record(two, null, disposition);
                Hangup(two, causeTwo, 0);
            }

            Tell("DialEnd", "call", one.Headers("Dest") + $"DialStatus: {dialStatus}\r\n");
            if (!ended)
            {
                Tell("HangupRequest", "call", two.Headers() + $"Cause: {causeOne}\r\n");
                Tell("SoftHangupRequest", "call", two.Headers() + "Cause: 16\r\n");
            }

            Record(one, null, disposition);
            Hangup(one, causeOne, 0);
            Respond(originate, null, chosen ? id : "", reason, by);
            if (ended) return;
            Record(two, null, dialStatus == "BUSY" ? "BUSY" : "FAILED");
            Hangup(two, causeTwo, 0);
        }
        After(one, timeout, () =>
        {
            if (one.Originate is null) return;
            if (two.Callee is { } ringing) Hangup(ringing, 0, 0);
            Respond(originate, null, chosen ? id : "", 3, by);
            one.Originate = null;
            int cause = IsVersion16 ? 0 : 19;
            Tell("HangupRequest", "call", two.Headers() + $"Cause: {cause}\r\n");
            Tell("SoftHangupRequest", "call", two.Headers() + "Cause: 16\r\n");
            Record(two, null, "FAILED");
            Hangup(two, cause, 0);
            Hangup(one, cause, 0);
            Record(one, null, IsVersion16 ? "FAILED" : "NO ANSWER");
        });
        switch (there.Kind)
        {
            case PhoneKind.Application:
                (two.Application, two.Data) = there.Application!.Value;
                Up();
                if (there.TalksFor is { } time) After(two, time, () => EndItself(two));
                break;
            case PhoneKind.Fails when there.Cause == 17:
                (two.Application, two.Data) = ("Busy", "20");
                SetState(two, 7);
                Fail(5, 0, 17, "BUSY");
                break;
            case PhoneKind.Ends:
                // Congestion() says so on the way; Hangup(34) does not.
                bool congestion = exten.StartsWith("congestion", StringComparison.OrdinalIgnoreCase);
                (two.Application, two.Data) = congestion ? ("Congestion", "20") : ("Hangup", there.Cause.ToString(CultureInfo.InvariantCulture));
                if (congestion) SetState(two, 7);
                Fail(congestion ? 8 : 0, congestion ? 0 : there.Cause, there.Cause, "CONGESTION");
                break;
            case PhoneKind.Rings or PhoneKind.Dead:
                (two.Application, two.Data, two.Priority) = ("Wait", "3600", 2);
                SetState(one, 5);
                Tell("DialState", "call", one.Headers("Dest") + "DialStatus: RINGING\r\n");
                break;
            default:
                Dial(two, PhoneBehaviour.Endpoint(exten), timeout, Up, (cause, _, status) => Fail(cause == 17 ? 5 : 0, cause, cause, status));
                break;
        }
    }
}
