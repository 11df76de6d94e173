using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Flexisip;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Tests.Flexisip;

/// <summary>Each recorded answer, byte for byte, given to the client: what it makes of it.</summary>
public sealed class FlexisipClientRecordingTests
{
    private static readonly string[] Secrets = ["xNhMd85qlA3uv", "wWxAN6GRNkUFk", "K5B5BblKqiA7l", "eNfO8ZKvQGTH3", "1Y7br5aU0KVkw", "8a6c779f9d35fddada444b98a5d50114", "EKsxIqegKmDDNkHWbSnfEfvXtJEgLbhH5hxXJxvW"];

    /// <summary>What each recording is: an account, a list of them, another answer; or the error id, and a word of its message.</summary>
    public static TheoryData<string, string, string> Verdicts => new()
    {
        { "01-ping", "text", "pong" },
        { "02-unknown-host", "SipNotFound", "Host not configured" },
        { "03-admin-no-key-redirect", "SipAuthenticationFailed", "web page" },
        { "04-bad-key", "SipAuthenticationFailed", "Invalid API Key" },
        { "05-accounts-list", "accounts", "sip:root@sip.example.com" },
        { "06-account-create", "account", "2 sip:alice@sip.example.com alice@example.com +33612312312 True False desk=12" },
        { "07-account-create-invalid", "SipValidationFailed", "phone: The phone field contains an invalid number. The phone number must belong to an authorized country." },
        { "08-account-create-taken", "SipValidationFailed", "username: The username has already been taken." },
        { "09-account-create-unknown-domain", "SipRejected", "This action is unauthorized." },
        { "10-account-get", "account", "2 sip:alice@sip.example.com alice@example.com +33612312312 True False desk=12" },
        { "11-account-not-found", "SipNotFound", "No query results" },
        { "12-account-put-resets", "account", "2 sip:alice@sip.example.com   True False desk=12" },
        { "13-account-put-same-email", "SipValidationFailed", "email: The email has already been taken." },
        { "14-account-block", "account", "2 sip:alice@sip.example.com alice@example.com  True True desk=12" },
        { "15-blocked-user", "SipRejected", "Account blocked" },
        { "16-not-admin", "SipRejected", "Unauthorized area" },
        { "17-account-deactivate", "account", "2 sip:alice@sip.example.com alice@example.com  False False desk=12" },
        { "18-account-search-sip", "account", "2 sip:alice@sip.example.com alice@example.com  True False desk=12" },
        { "19-account-search-sip-prefix", "SipNotFound", "SIP address not found" },
        { "20-devices", "device", "Pixel 6 LinphoneAndroid 5.2.5 2026-11-22 22:00:00Z" },
        { "21-device-delete", "text", "1" },
        { "22-device-delete-none", "text", "" },
        { "23-provision", "account", "2 sip:alice@sip.example.com alice@example.com  True False desk=12" },
        { "24-account-delete", "text", "" },
        { "25-account-create-tombstone", "SipValidationFailed", "username: The username has already been taken." },
        { "26-digest-challenge", "SipAuthenticationFailed", "Unauthenticated request" },
        { "27-digest-ok", "account", "1 sip:root@sip.example.com   True False " },
        { "28-digest-replay", "SipAuthenticationFailed", "Nonce replayed" },
        { "29-api-key-by-digest", "text", "EKsxIqegKmDDNkHWbSnfEfvXtJEgLbhH5hxXJxvW" },
        { "30-digest-unknown-account", "SipNotFound", "No query results" },
        { "31-bearer-ok", "account", "5 sip:dave@alpha.example.com   True False " },
        { "32-bearer-expired", "SipAuthenticationFailed", "refuses our login" },
        { "33-bearer-space-refuses-key", "SipAuthenticationFailed", "refuses our login" },
        { "34-oidc-space-admin-key", "accounts", "sip:dave@alpha.example.com" },
        { "35-spaces-list", "spaces", "sip.example.com/example.com/SHA-256/True, alpha.example.com/alpha.example.com/MD5/True" },
        { "36-external-account", "json", "\"protocol\": \"UDP\"" },
        { "37-call-forwarding-create", "forwarding", "Always: sip:bob@sip.example.com" },
        { "38-resolve", "json", "\"type\": \"account\"" },
        { "39-statistics-call-post", "text", "1" },
        { "40-statistics-call-device-patch", "SipServerFailed", "A part may have been done" },
        { "41-statistics-call-end-patch", "call", "Terminated 00:05:00  Unknown" },
        { "42-account-calls", "calls", "Terminated 00:05:00 00:04:55 Unknown" },
        { "43-statistics-list-impossible", "SipProtocolError", "405" },
        { "44-wizard-call", "json", "\"linphone_action\": \"call\"" },
        { "45-message", "json", "\"id\": \"2\"" },
        { "46-message-daemon-error", "SipValidationFailed", "Cannot create chat room" },
        { "47-push-ok", "text", "" },
        { "48-password-wrong-old", "SipValidationFailed", "old_password: Incorrect old password" },
        { "49-invalid-json", "SipProtocolError", "Invalid JSON" },
        { "50-form-without-accept", "SipAuthenticationFailed", "web page" },
        { "51-method-not-allowed", "SipProtocolError", "405" },
        { "52-french", "SipValidationFailed", "password: Le champ mot de passe est obligatoire." },
        { "53-server-error", "SipServerFailed", "Server Error" },
        { "54-voicemail-slot", "json", "\"content_type\": \"audio/wav\"" },
        { "55-voicemail-upload", "json", "\"size\": 204" },
        { "56-space-expired", "SipRejected", "The related Space has expired" },
        { "v20-01-ping", "text", "pong" },
        { "v20-02-admin-no-auth", "SipAuthenticationFailed", "From header is required" },
        { "v20-03-create-without-algorithm", "SipValidationFailed", "algorithm: The algorithm field is required." },
        { "v20-04-create", "account", "2 sip:alice@sip.example.com   True False " },
        { "v20-05-put-deactivates", "account", "2 sip:alice@sip.example.com   False False " },
        { "v20-06-not-found", "SipNotFound", "Missing elements" },
        { "v20-07-statistics-device", "json", "\"call_id\": \"7f0c4c66\"" },
        { "v20-08-devices", "device", "   2026-11-22 22:00:00Z" },
        { "v20-09-account-info", "json", "\"activated\": false" },
        { "v20-10-digest-challenge", "SipAuthenticationFailed", "Unauthenticated request" },
        { "v20-11-no-call-history", "SipNotFound", "could not be found" },
        { "v20-12-rate-limited", "SipRateLimited", "takes no more requests" },
    };

    [Fact]
    public void Every_recording_has_a_verdict() =>
        Assert.Equal(FlexisipRecording.All.Select(r => r.Name), Verdicts.Select(v => (string)v[0]).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Verdicts))]
    public async Task A_recorded_answer_is_understood(string name, string kind, string expected)
    {
        FlexisipRecording recording = FlexisipRecording.Open(name);
        using var peer = new HttpPeer((_, stream) => HttpPeer.RawAsync(stream, recording.Wire()));
        var configuration = new SipServerConfiguration { Type = SipServerType.Flexisip, Host = "127.0.0.1", Port = peer.Port, ApiKey = new string('k', 40), Path = "/api" };
        // A limit's pause would be a minute long; a clock that runs ahead has none.
        using var client = new FlexisipClient(configuration, "flexi", peer.Port, NullLogger.Instance, new HastyClock());
        FlexisipReply reply = await client.SendAsync(new HttpMethod(recording.Method), recording.Target["/api".Length..], "it", CancellationToken.None);

        Assert.Equal(recording.Status, reply.Status);
        Assert.Equal(name.StartsWith("v20", StringComparison.Ordinal) && name != "v20-11-no-call-history" ? 600 : null, reply.RateLimit);
        if (name.Contains("digest", StringComparison.Ordinal) && name is not ("30-digest-unknown-account" or "29-api-key-by-digest")) Assert.True(new FlexisipDigest("root", "sip.example.com", "x").Take(reply.Challenges));
        if (!reply.IsSuccess)
        {
            SipException error = FlexisipErrors.For(reply, "flexi", "do it");
            Assert.Equal(kind, error.ErrorId);
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
            return;
        }

        string shown = Show(kind, reply);
        if (kind is "json") Assert.Contains(expected, shown, StringComparison.Ordinal);
        else Assert.Equal(expected, shown);
        if (kind != "text") Assert.DoesNotContain(Secrets, s => shown.Contains(s, StringComparison.Ordinal));
    }

    private static string Show(string kind, FlexisipReply reply)
    {
        switch (kind)
        {
            case "text": return reply.Text;
            case "account": return Show(FlexisipMapper.Account(reply.Json!.Value, "flexi"));
            case "accounts":
                return string.Join(", ", reply.Json!.Value.GetProperty("data").EnumerateArray().Select(a => FlexisipMapper.Account(a, "flexi").SipUri));
            case "device":
                SipDevice device = FlexisipMapper.Device(reply.Json!.Value.EnumerateObject().Single().Value, "sip:a@b", "flexi");
                return $"{device.DeviceName} {device.App} {device.Version} {device.UpdatedAt:u}";
            case "spaces":
                return string.Join(", ", reply.Json!.Value.EnumerateArray().Select(s => FlexisipMapper.Space(s, "flexi", DateTime.UtcNow)).Select(s => $"{s.Domain}/{s.Host}/{s.PasswordAlgorithm}/{s.UniqueEmail}"));
            case "forwarding": return FlexisipMapper.Forwarding(reply.Json!.Value, "sip:a@b", "flexi").ToString();
            case "call": return Show(FlexisipCalls.Call(reply.Json!.Value, "sip:alice@sip.example.com", "flexi"));
            case "calls": return Show(FlexisipCalls.Call(reply.Json!.Value.GetProperty("data").EnumerateArray().Single(), "sip:alice@sip.example.com", "flexi"));
            case "json": return FlexisipMapper.Masked(reply.Json!.Value);
            default: throw new InvalidOperationException(kind);
        }
    }

    private static string Show(SipAccount a)
    {
        // As a whole, with all that a user could print.
        string all = JsonSerializer.Serialize(a);
        Assert.DoesNotContain(Secrets, s => all.Contains(s, StringComparison.Ordinal));
        return $"{a.Id} {a.SipUri} {a.Email} {a.Phone} {a.Activated} {a.Blocked} {string.Join(";", a.Dictionary.Select(d => $"{d.Key}={d.Value}"))}";
    }

    private static string Show(SipCall c) => $"{c.State} {c.Duration} {c.BillableDuration} {c.Cause}";

    /// <summary>Delays are over at once, and the time has passed.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private long _ahead;

        public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _ahead);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            // Only the pauses of a limit are longer than a request may take.
            if (dueTime < TimeSpan.FromSeconds(31) || dueTime > TimeSpan.FromHours(1)) return base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Add(ref _ahead, (long)(dueTime.TotalSeconds * TimestampFrequency));
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
