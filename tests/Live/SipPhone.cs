using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Live.Tests;

/// <summary>
/// A SIP phone over UDP that a test has in its hand: it calls, answers, takes re-INVITEs, obeys REFER, and keeps every
/// message it got. Just enough of RFC 3261 for one proxy or B2BUA on loopback: no retransmissions, sound only where it is given some.
/// </summary>
internal sealed partial class SipPhone : IDisposable
{
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly ConcurrentQueue<string> _received = new();
    private readonly ConcurrentDictionary<string, Dialog> _dialogs = new();
    private readonly IPEndPoint _proxy;
    private readonly string _behaviour;
    private readonly PhoneSound? _sound;
    private int _count;

    /// <param name="name">User of its address.</param>
    /// <param name="proxyPort">SIP port of the server under test.</param>
    /// <param name="behaviour">answer, ring, noreplaces (answers, and does not know what Replaces is), or a status such as 486.</param>
    /// <param name="sound">What it says and hears.</param>
    public SipPhone(string name, int proxyPort, string behaviour = "answer", PhoneSound? sound = null)
    {
        _sound = sound;
        Name = name;
        _behaviour = behaviour;
        _proxy = new IPEndPoint(IPAddress.Loopback, proxyPort);
        _ = ListenAsync();
    }

    public string Name { get; }

    public string Contact => $"sip:{Name}@127.0.0.1:{((IPEndPoint)_socket.Client.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Its answer to an offer in a call; null for none at all.</summary>
    public string? Reinvited { get; init; } = "200 OK";

    /// <summary>The address that the server is to call.</summary>
    public string Address => $"{Name}@{Here}";

    /// <summary>The direction of each offer that came, and the port of its sound. One that came again, as it was not answered soon enough, is one.</summary>
    public List<(string Direction, int Port)> Offers => [.. Requests("INVITE").DistinctBy(m => Header(m, "CSeq")).Select(m => (OfferedDirection().Match(m) is { Success: true } d ? d.Groups[1].Value : "", PhoneSound.PortOf(m)))];

    /// <summary>What has come, in order.</summary>
    public IReadOnlyList<string> Received => [.. _received];

    /// <summary>Calls that are up.</summary>
    public int Talking => _dialogs.Values.Count(d => d is { Answered: true, Over: false });

    /// <summary>The requests of a method that have come.</summary>
    public List<string> Requests(string method) => [.. _received.Where(m => m.StartsWith(method + " ", StringComparison.Ordinal))];

    /// <summary>Calls a number of the server; returns its Call-ID.</summary>
    public string Call(string number) => Call(number, "");

    private string Call(string number, string more)
    {
        string uri = number.StartsWith("sip:", StringComparison.Ordinal) ? number : $"sip:{number}@{_proxy}";
        var dialog = new Dialog { CallId = $"{Guid.NewGuid():N}@127.0.0.1", LocalTag = NewTag(), Outgoing = true, Local = $"<sip:{Name}@{_proxy}>", Remote = $"<{uri}>", Target = uri, Branch = NewBranch() };
        _dialogs[dialog.CallId] = dialog;
        Send(Request(dialog, "INVITE", uri, dialog.Branch, Sdp("sendrecv"), more));
        return dialog.CallId;
    }

    /// <summary>Gives a call up that has not been answered.</summary>
    public void Cancel(string callId)
    {
        Dialog d = _dialogs[callId];
        Send($"CANCEL {d.Target} SIP/2.0\r\nVia: SIP/2.0/UDP {Here};branch={d.Branch}\r\nMax-Forwards: 70\r\nFrom: {d.Local};tag={d.LocalTag}\r\nTo: {d.Remote}\r\nCall-ID: {d.CallId}\r\nCSeq: {d.InviteSeq} CANCEL\r\nContent-Length: 0\r\n\r\n");
    }

    /// <summary>Hangs up the calls that are up.</summary>
    public void HangUp()
    {
        foreach (Dialog d in _dialogs.Values.Where(d => d is { Answered: true, Over: false })) Bye(d);
    }

    /// <summary>Holds the calls that are up, or takes them back: a re-INVITE of its own.</summary>
    public void Hold(bool hold)
    {
        foreach (Dialog d in _dialogs.Values.Where(d => d is { Answered: true, Over: false })) Send(Request(d, "INVITE", d.Target, NewBranch(), Sdp(hold ? "sendonly" : "sendrecv")));
    }

    public void Dispose() => _socket.Dispose();

    private string Here => $"127.0.0.1:{((IPEndPoint)_socket.Client.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture)}";

    private static string NewTag() => Guid.NewGuid().ToString("N")[..12];

    private static string NewBranch() => "z9hG4bK" + Guid.NewGuid().ToString("N")[..16];

    private static string Header(string message, string name) => HeaderOf(message, name).FirstOrDefault() ?? "";

    private static IEnumerable<string> HeaderOf(string message, string name) =>
        message.Split("\r\n\r\n")[0].Split("\r\n").Skip(1).Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(l => l[(name.Length + 1)..].Trim());

    private static string UriOf(string header) => InBrackets().Match(header) is { Success: true } m ? m.Groups[1].Value : header.Split(';')[0].Trim();

    private string Sdp(string direction) => $"v=0\r\no=phone 1 {++_count} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {_sound?.Port ?? 30000} RTP/AVP 0 8\r\na={direction}\r\n";

    private string Request(Dialog d, string method, string target, string branch, string body = "", string more = "")
    {
        int seq = ++d.Seq;
        if (method == "INVITE") d.InviteSeq = seq;
        string routes = string.Concat(d.Routes.Select(r => $"Route: {r}\r\n"));
        string type = body.Length == 0 || more.Contains("Content-Type", StringComparison.Ordinal) ? "" : "Content-Type: application/sdp\r\n";
        return $"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {Here};branch={branch}\r\nMax-Forwards: 70\r\n{routes}From: {d.Local};tag={d.LocalTag}\r\nTo: {d.Remote}{(d.RemoteTag is null ? "" : ";tag=" + d.RemoteTag)}\r\nCall-ID: {d.CallId}\r\nCSeq: {seq} {method}\r\nContact: <{Contact}>\r\n{more}{type}Content-Length: {body.Length}\r\n\r\n{body}";
    }

    private void Reply(string request, string status, string? tag = null, string body = "", IPEndPoint? to = null)
    {
        string toHeader = Header(request, "To");
        if (tag is not null && !toHeader.Contains(";tag=", StringComparison.Ordinal)) toHeader += ";tag=" + tag;
        string vias = string.Concat(HeaderOf(request, "Via").Select(v => $"Via: {v}\r\n"));
        string routes = string.Concat(HeaderOf(request, "Record-Route").Select(v => $"Record-Route: {v}\r\n"));
        Send($"SIP/2.0 {status}\r\n{vias}{routes}From: {Header(request, "From")}\r\nTo: {toHeader}\r\nCall-ID: {Header(request, "Call-ID")}\r\nCSeq: {Header(request, "CSeq")}\r\nContact: <{Contact}>\r\n{(body.Length == 0 ? "" : "Content-Type: application/sdp\r\n")}Content-Length: {body.Length}\r\n\r\n{body}", to);
    }

    private void Send(string message, IPEndPoint? to = null)
    {
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(message);
            _socket.Send(bytes, bytes.Length, to ?? _proxy);
        }
        catch (ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true)
            {
                string message = Encoding.UTF8.GetString((await _socket.ReceiveAsync()).Buffer);
                if (!message.Contains("SIP/2.0", StringComparison.Ordinal)) continue;
                _received.Enqueue(message);
                if (message.StartsWith("SIP/2.0 ", StringComparison.Ordinal)) OnReply(message);
                else await OnRequestAsync(message);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task OnRequestAsync(string message)
    {
        string method = message.Split(' ')[0];
        string callId = Header(message, "Call-ID");
        _dialogs.TryGetValue(callId, out Dialog? dialog);
        switch (method)
        {
            case "INVITE" when dialog is { Answered: true }:
                if (Reinvited is null) break;
                if (Reinvited[0] == '2') _sound?.Take(message, Answer(message));
                Reply(message, Reinvited, body: Reinvited[0] == '2' ? Sdp(Answer(message)) : "");
                break;
            case "INVITE" when dialog is null:
                dialog = new Dialog { CallId = callId, LocalTag = NewTag(), Local = Header(message, "To"), Target = UriOf(Header(message, "Contact")), RemoteTag = Tag(Header(message, "From")), Invite = message };
                dialog.Remote = "<" + UriOf(Header(message, "From")) + ">";
                dialog.Local = "<" + UriOf(dialog.Local) + ">";
                dialog.Routes.AddRange(HeaderOf(message, "Record-Route"));
                _dialogs[callId] = dialog;
                if (char.IsAsciiDigit(_behaviour[0]))
                {
                    dialog.Over = true;
                    Reply(message, _behaviour + " No", dialog.LocalTag);
                    break;
                }

                Dialog? replaced = null;
                if (_behaviour != "noreplaces" && Header(message, "Replaces") is { Length: > 0 } replaces) _dialogs.TryGetValue(replaces.Split(';')[0], out replaced);
                if (replaced is null)
                {
                    Reply(message, "180 Ringing", dialog.LocalTag);
                    if (_behaviour == "ring") break;
                    await Task.Delay(100);
                }

                dialog.Answered = true;
                _sound?.Take(message, "sendrecv");
                Reply(message, "200 OK", dialog.LocalTag, Sdp("sendrecv"));
                if (replaced is { Answered: true, Over: false }) Bye(replaced);
                break;
            case "CANCEL":
                Reply(message, "200 OK", dialog?.LocalTag);
                if (dialog is { Answered: false, Invite: { } invite })
                {
                    dialog.Over = true;
                    Reply(invite, "487 Request Terminated", dialog.LocalTag);
                }

                break;
            case "BYE":
                if (dialog is not null) dialog.Over = true;
                Reply(message, "200 OK");
                break;
            case "REFER" when dialog is not null:
                Reply(message, "202 Accepted");
                Obey(dialog, UriOf(Header(message, "Refer-To")));
                break;
            case "ACK":
                break;
            default:
                Reply(message, "200 OK");
                break;
        }
    }

    // Told to call somebody: calls, says how it went, and leaves the old call when the new one is answered.
    private void Obey(Dialog old, string target)
    {
        // RFC 3891: what stands behind the ? is a header of the INVITE.
        string[] parts = target.Split("?Replaces=");
        string more = parts.Length > 1 && _behaviour != "noreplaces" ? $"Replaces: {Uri.UnescapeDataString(parts[1])}\r\n" : "";
        string callId = Call(_behaviour == "noreplaces" ? target : parts[0], more);
        _dialogs[callId].Replaced = old;
    }

    private void OnReply(string message)
    {
        if (!_dialogs.TryGetValue(Header(message, "Call-ID"), out Dialog? d)) return;
        int status = int.Parse(message.AsSpan(8, 3), CultureInfo.InvariantCulture);
        if (!Header(message, "CSeq").EndsWith("INVITE", StringComparison.Ordinal) || status < 200) return;
        if (status >= 300)
        {
            Send($"ACK {d.Target} SIP/2.0\r\nVia: SIP/2.0/UDP {Here};branch={d.Branch}\r\nMax-Forwards: 70\r\nFrom: {d.Local};tag={d.LocalTag}\r\nTo: {Header(message, "To")}\r\nCall-ID: {d.CallId}\r\nCSeq: {d.InviteSeq} ACK\r\nContent-Length: 0\r\n\r\n");
            d.Over = true;
            Told(d, message.Split("\r\n")[0]);
            return;
        }

        _sound?.Take(message, "sendrecv");
        d.RemoteTag = Tag(Header(message, "To"));
        d.Target = UriOf(Header(message, "Contact"));
        if (d.Routes.Count == 0) d.Routes.AddRange(HeaderOf(message, "Record-Route").Reverse());
        string routes = string.Concat(d.Routes.Select(r => $"Route: {r}\r\n"));
        Send($"ACK {d.Target} SIP/2.0\r\nVia: SIP/2.0/UDP {Here};branch={NewBranch()}\r\nMax-Forwards: 70\r\n{routes}From: {d.Local};tag={d.LocalTag}\r\nTo: {d.Remote};tag={d.RemoteTag}\r\nCall-ID: {d.CallId}\r\nCSeq: {d.InviteSeq} ACK\r\nContent-Length: 0\r\n\r\n");
        d.Answered = true;
        Told(d, "SIP/2.0 200 OK");
    }

    private void Told(Dialog d, string status)
    {
        if (d.Replaced is not { } old) return;
        d.Replaced = null;
        Send(Request(old, "NOTIFY", old.Target, NewBranch(), status + "\r\n", "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag\r\n"));
        Bye(old);
    }

    private void Bye(Dialog d)
    {
        d.Over = true;
        Send(Request(d, "BYE", d.Target, NewBranch()));
    }

    private static string? Tag(string header) => TagParameter().Match(header) is { Success: true } m ? m.Groups[1].Value : null;

    // RFC 3264: inactive is answered with inactive.
    private static string Answer(string offer) => offer.Contains("a=inactive", StringComparison.Ordinal) ? "inactive" : offer.Contains("a=sendonly", StringComparison.Ordinal) ? "recvonly" : "sendrecv";

    [GeneratedRegex("^a=(sendrecv|sendonly|recvonly|inactive)\r?$", RegexOptions.Multiline)]
    private static partial Regex OfferedDirection();

    [GeneratedRegex("<([^>]*)>")]
    private static partial Regex InBrackets();

    [GeneratedRegex(";tag=([^;>]+)")]
    private static partial Regex TagParameter();

    private sealed class Dialog
    {
        public required string CallId { get; init; }

        public required string LocalTag { get; init; }

        public string Local { get; set; } = "";

        public string Remote { get; set; } = "";

        public string? RemoteTag { get; set; }

        public string Target { get; set; } = "";

        public bool Outgoing { get; init; }

        public List<string> Routes { get; } = [];

        public string Branch { get; init; } = "";

        public int Seq { get; set; }

        public int InviteSeq { get; set; }

        public string? Invite { get; init; }

        public bool Answered { get; set; }

        public bool Over { get; set; }

        public Dialog? Replaced { get; set; }
    }
}
