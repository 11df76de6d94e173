using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Adapters.Flexisip;

/// <content>Devices, messages, provisioning, spaces, call forwarding, and the record of calls.</content>
internal sealed partial class FlexisipAdapter
{
    protected override async Task<IReadOnlyList<SipDevice>> GetDevicesAsync(FlexisipSession session, string account, CancellationToken cancellationToken)
    {
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        return await DevicesAsync(session, path, address, cancellationToken).ConfigureAwait(false);
    }

    private async Task<SipDevice[]> DevicesAsync(FlexisipSession session, string path, string address, CancellationToken cancellationToken)
    {
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, path + "/devices", "the devices of an account", cancellationToken).ConfigureAwait(false);
        JsonElement map = await JsonAsync(session, reply, $"list the devices of {address}", cancellationToken).ConfigureAwait(false);
        // A map; without entries some versions of PHP make it a list.
        return map.ValueKind == JsonValueKind.Object ? map.EnumerateObject().Select(d => FlexisipMapper.Device(d.Value, address, Name)).ToArray() : Array.Empty<SipDevice>();
    }

    protected override async Task<bool> RemoveDeviceAsync(FlexisipSession session, string account, string uuid, CancellationToken cancellationToken)
    {
        if (!FlexisipNames.IsFit(uuid)) throw new SipArgumentException("Uuid", uuid, "the instance id of a device, as Get-SipDevice shows it.");
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        // 2.1 says whether there was one; 2.0 says nothing, so it is looked for before and after.
        if (session.Is20 && !Array.Exists(await DevicesAsync(session, path, address, cancellationToken).ConfigureAwait(false), d => d.Uuid == uuid)) return false;
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Delete, $"{path}/devices/{FlexisipNames.Encode(uuid)}", "remove a device", cancellationToken).ConfigureAwait(false);
        await CheckAsync(session, reply, $"remove a device of {address}", cancellationToken).ConfigureAwait(false);
        if (!session.Is20) return reply.Text.Trim() == "1";
        if (!Array.Exists(await DevicesAsync(session, path, address, cancellationToken).ConfigureAwait(false), d => d.Uuid == uuid)) return true;
        throw new SipRejectedException($"{Name} did not remove the device {uuid} of {address}, or it has registered again already.", "", null, "SipDeviceNotRemoved") { RecommendedAction = "Block the account first (Disable-SipAccount), to keep its devices from registering." };
    }

    protected override async IAsyncEnumerable<SipCall> GetAccountCallsAsync(FlexisipSession session, string account, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        await foreach (JsonElement row in PagesAsync(session, path + "/statistics/calls", 1, $"tell the calls of {address}", cancellationToken).ConfigureAwait(false))
            yield return FlexisipCalls.Call(row, address, Name);
    }

    protected override async IAsyncEnumerable<SipCallDetailRecord> GetAccountRecordsAsync(FlexisipSession session, string account, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        await foreach (JsonElement row in PagesAsync(session, path + "/statistics/calls", 1, $"tell the calls of {address}", cancellationToken).ConfigureAwait(false))
        {
            foreach (SipCallDetailRecord record in FlexisipCalls.Records(row, Name)) yield return record;
        }
    }

    protected override async Task<bool> SendPushAsync(FlexisipSession session, SipPushRequest request, CancellationToken cancellationToken)
    {
        if (request.Provider is not ("apns" or "apns.dev" or "fcm")) throw new SipArgumentException("Provider", request.Provider, "apns, apns.dev or fcm.");
        if (request.Type is not ("background" or "message" or "call")) throw new SipArgumentException("Type", request.Type, "background, message or call.");
        // Without them the server fails.
        if (request.Param.Length == 0) throw new SipArgumentException("Param", request.Param, "the pn-param of the device's contact.");
        if (request.Prid.Length == 0) throw new SipArgumentException("Prid", "", "the pn-prid of the device's contact.");
        var body = new JsonObject { ["pn_provider"] = request.Provider, ["pn_param"] = request.Param, ["pn_prid"] = request.Prid, ["type"] = request.Type };
        if (request.CallId is not null) body["call_id"] = request.CallId;
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Post, "/push_notification", "send a push notification", cancellationToken, body).ConfigureAwait(false);
        await CheckAsync(session, reply, "send a push notification", cancellationToken).ConfigureAwait(false);
        return true;
    }

    protected override async Task<string?> SendMessageAsync(FlexisipSession session, string to, string body, CancellationToken cancellationToken)
    {
        // The server puts both into one line of a text protocol.
        if (FlexisipNames.Split(to) is not { } address) throw new SipArgumentException("To", to, "a SIP address, user@domain.");
        if (body.Length == 0 || body.Any(char.IsControl)) throw new SipArgumentException("Body", body, "one line of text, without control characters.");
        var json = new JsonObject { ["to"] = $"{address.User}@{address.Domain}", ["body"] = body };
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Post, "/messages", "send a message", cancellationToken, json).ConfigureAwait(false);
        if (reply.Status == 404)
        {
            throw new SipNotSupportedException($"{Name} sends no messages: it has no linphone-daemon.", SipCapabilities.Accounts)
            {
                RecommendedAction = "Set APP_LINPHONE_DAEMON_UNIX_PATH in the account manager's settings, and have a linphone-daemon there.",
            };
        }

        return FlexisipMapper.Text(await JsonAsync(session, reply, $"send a message to {to}", cancellationToken).ConfigureAwait(false), "id");
    }

    protected override async Task<SipProvisioning> CreateProvisioningAsync(FlexisipSession session, string account, bool byEmail, CancellationToken cancellationToken)
    {
        SipAccount known = await GetAccountAsync(session, account, cancellationToken).ConfigureAwait(false);
        if (byEmail)
        {
            if (known.Email is null) throw new SipRejectedException($"{known.SipUri} on {Name} has no e-mail address. Nothing was sent.", "", null, "SipAccountHasNoEmail") { RecommendedAction = "Set-SipAccount -Email, or leave -SendEmail out and hand the link over yourself." };
            FlexisipReply sent = await session.Client.SendAsync(HttpMethod.Post, $"/accounts/{known.Id}/send_provisioning_email", "send a provisioning e-mail", cancellationToken).ConfigureAwait(false);
            await CheckAsync(session, sent, $"send {known.SipUri} its provisioning e-mail", cancellationToken).ConfigureAwait(false);
            SipAccount after = await GetAccountAsync(session, $"#{known.Id}", cancellationToken).ConfigureAwait(false);
            return new SipProvisioning { SipUri = known.SipUri, Server = Name, SentTo = known.Email, ExpiresAt = after.ProvisioningExpiresAt };
        }

        // A GET that changes: the token before is void. So it is not sent twice.
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, $"/accounts/{known.Id}/provision", "make a provisioning token", cancellationToken, read: false).ConfigureAwait(false);
        JsonElement json = await JsonAsync(session, reply, $"make a provisioning token of {known.SipUri}", cancellationToken).ConfigureAwait(false);
        string token = FlexisipMapper.Text(json, "provisioning_token") is { Length: > 0 } made && made.All(char.IsAsciiLetterOrDigit) ? made : throw new SipProtocolException($"{Name} made no provisioning token for {known.SipUri}.");
        bool usual = Port == (Configuration.UseTls ? 443 : 80);
        string host = (Configuration.Space ?? Configuration.Host!) + (usual ? "" : $":{Port}");
        return new SipProvisioning
        {
            SipUri = known.SipUri,
            Server = Name,
            Link = $"{(Configuration.UseTls ? "https" : "http")}://{host}/provisioning/{token}",
            ExpiresAt = FlexisipMapper.Time(json, "provisioning_token_expire_at"),
        };
    }

    protected override async Task<IReadOnlyList<SipSpace>> GetSpacesAsync(FlexisipSession session, CancellationToken cancellationToken)
    {
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, "/spaces", "the list of spaces", cancellationToken).ConfigureAwait(false);
        JsonElement list = await JsonAsync(session, reply, "list its spaces", cancellationToken).ConfigureAwait(false);
        DateTime now = Time.GetUtcNow().UtcDateTime;
        return Rows(list).Select(s => FlexisipMapper.Space(s, Name, now)).ToArray();
    }

    protected override async Task<IReadOnlyList<SipCallForwarding>> GetCallForwardingsAsync(FlexisipSession session, string account, CancellationToken cancellationToken)
    {
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        return await RulesAsync(session, path, address, cancellationToken).ConfigureAwait(false);
    }

    protected override async Task<SipCallForwarding> SetCallForwardingAsync(FlexisipSession session, string account, SipCallForwardingRequest request, CancellationToken cancellationToken)
    {
        if (request.ToVoicemail == (request.To is not null)) throw new SipArgumentException("To", request.To, "a SIP address, or -ToVoicemail in its place.");
        string? target = null;
        if (request.To is { } to)
        {
            if (FlexisipNames.Split(to) is { } whole) target = $"sip:{whole.User}@{whole.Domain}";
            else if (FlexisipNames.IsFit(to) && !to.Contains('@', StringComparison.Ordinal) && session.Domain is { } domain) target = $"sip:{to}@{domain}";
            else throw new SipArgumentException("To", to, "a SIP address, or a user name of the same domain.");
        }

        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        SipCallForwarding? there = (await RulesAsync(session, path, address, cancellationToken).ConfigureAwait(false)).FirstOrDefault(r => r.Type == request.Type);
        string what = $"set the call forwarding of {address}";
        var body = new JsonObject { ["type"] = FlexisipMapper.Word(request.Type), ["forward_to"] = target is null ? "voicemail" : "sip_uri", ["enabled"] = request.Enabled };
        if (target is not null) body["sip_uri"] = target;
        FlexisipReply reply;
        if (there is null)
        {
            reply = await session.Client.SendAsync(HttpMethod.Post, path + "/call_forwardings", what, cancellationToken, body).ConfigureAwait(false);
        }
        else if (target is not null)
        {
            reply = await session.Client.SendAsync(HttpMethod.Put, $"{path}/call_forwardings/{there.Id}", what, cancellationToken, body).ConfigureAwait(false);
        }
        else
        {
            // It changes rules only to addresses: one to the voicemail takes the old one's place.
            FlexisipReply removed = await session.Client.SendAsync(HttpMethod.Delete, $"{path}/call_forwardings/{there.Id}", what, cancellationToken).ConfigureAwait(false);
            await CheckAsync(session, removed, what, cancellationToken).ConfigureAwait(false);
            reply = await session.Client.SendAsync(HttpMethod.Post, path + "/call_forwardings", what, CancellationToken.None, body).ConfigureAwait(false);
            if (!reply.IsSuccess)
            {
                throw new SipRejectedException($"{Name} does not {what} to the voicemail, and the rule that it was to replace ({there}) is gone. {FlexisipErrors.Words(reply)}", FlexisipErrors.Words(reply), reply.Status, "SipCallForwardingLost")
                {
                    RecommendedAction = $"Set-SipCallForwarding -Type {there.Type} -To '{there.To}' puts it back.",
                };
            }
        }

        return FlexisipMapper.Forwarding(await JsonAsync(session, reply, what, cancellationToken).ConfigureAwait(false), address, Name);
    }

    protected override async Task<bool> RemoveCallForwardingAsync(FlexisipSession session, string account, SipForwardingType type, CancellationToken cancellationToken)
    {
        (string path, string address) = await FindAsync(session, account, cancellationToken).ConfigureAwait(false);
        SipCallForwarding? there = (await RulesAsync(session, path, address, cancellationToken).ConfigureAwait(false)).FirstOrDefault(r => r.Type == type);
        if (there is null) return false;
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Delete, $"{path}/call_forwardings/{there.Id}", "remove a call forwarding rule", cancellationToken).ConfigureAwait(false);
        await CheckAsync(session, reply, $"remove a call forwarding rule of {address}", cancellationToken).ConfigureAwait(false);
        return reply.Text.Trim() != "0";
    }

    private async Task<IReadOnlyList<SipCallForwarding>> RulesAsync(FlexisipSession session, string path, string address, CancellationToken cancellationToken)
    {
        FlexisipReply reply = await session.Client.SendAsync(HttpMethod.Get, path + "/call_forwardings", "the call forwarding rules of an account", cancellationToken).ConfigureAwait(false);
        JsonElement list = await JsonAsync(session, reply, $"tell the call forwarding rules of {address}", cancellationToken).ConfigureAwait(false);
        return Rows(list).Select(r => FlexisipMapper.Forwarding(r, address, Name)).ToArray();
    }
}
