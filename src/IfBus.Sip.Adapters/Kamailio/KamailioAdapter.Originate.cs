using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.Kamailio;

/// <content>What can be asked of dlg.bridge_dlg, and why not more.</content>
internal sealed partial class KamailioAdapter
{
    protected override SipNotSupportedException NotSupported(KamailioSession session, SipCapabilities needed)
    {
        string Methods(string module, params string[] names) => $"the server has no {string.Join(", ", names.Where(n => !session.Login.Methods.Contains(n)).DefaultIfEmpty(names[0]))}: its module {module} is not loaded, or too old";
        string why = needed switch
        {
            _ when (needed & SipCapabilities.Failover) != 0 => "dlg.bridge_dlg takes one address for each party; the server's script or its dispatcher tries several",
            SipCapabilities.MakeCall => Methods("dialog", "dlg.bridge_dlg", "dlg.list"),
            SipCapabilities.HangUp => Methods("dialog", "dlg.end_dlg", "dlg.dlg_list", "dlg.list"),
            SipCapabilities.ListCalls or SipCapabilities.CallDetailRecords => Methods("dialog", "dlg.list"),
            SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer => "a proxy has no command for it; a phone transfers by itself, and the server's script may (dlg_refer)",
            SipCapabilities.Hold => "a proxy has no command for it; a phone holds by itself",
            _ when (needed & (SipCapabilities.Conference | SipCapabilities.ConferenceList | SipCapabilities.ConferenceControl | SipCapabilities.ConferenceRecording)) != 0 => "a proxy has no media: rooms need a media server behind it",
            SipCapabilities.Recording => "a proxy has no media: recording is a matter of the media relay and the server's script",
            SipCapabilities.Dtmf => "a proxy has no media: it plays no tones",
            SipCapabilities.Variables => "dialog variables are the server's script's; there is no command that sets them",
            SipCapabilities.Answer or SipCapabilities.Reject => "a proxy passes calls on by its script; it waits for nobody to answer them",
            SipCapabilities.Registrations or SipCapabilities.RegistrationControl => Methods("usrloc", "ul.dump", "ul.add", "ul.rm"),
            SipCapabilities.Gateways or SipCapabilities.GatewayControl => Methods("dispatcher", "dispatcher.list", "dispatcher.set_state"),
            SipCapabilities.Statistics => Methods("kex", "stats.fetchn"),
            SipCapabilities.Queues => "it has none",
            _ => "it has no command for it",
        };
        return new SipNotSupportedException($"{Name} is a Kamailio and cannot do this ({needed}): {why}. Nothing was sent.", needed);
    }

    private (string From, string To, string? Proxy) Parties(SipCallRequest request)
    {
        if (CallRules.CheckParties(request)) throw Cannot("a call of one leg (-Application, -Play)", "a proxy has nothing to play and no applications");
        if (request.CallerId is not null) throw Cannot("a caller id (-CallerId)", "the first party is called by the server's bridge_controller, and calls the second itself");
        if (request.Timeout is not null) throw Cannot("a ring time (-Timeout)", "how long phones ring is the server's fr_inv_timer, and no command ends a call that rings");
        if (request.Variables.Count > 0) throw Cannot("variables (-Variable)", "the call is made by the first party's phone");
        string template = Configuration.EndpointTemplate!;
        string? proxy = request.Context ?? Configuration.Context;
        if (proxy is not null && !KamailioNumbers.IsAddress(proxy, needsUser: false)) throw new SipArgumentException("Context", proxy, "the SIP address that the call is sent through, for instance sip:127.0.0.1:5060.");
        string to = KamailioNumbers.Address(request.To!, template, "To");
        // The server writes Refer-To without angle brackets: a parameter would belong to the header, and be lost (RFC 3261, 20.10).
        if (to.Contains(';', StringComparison.Ordinal)) throw new SipArgumentException("To", to, "an address without parameters: Kamailio's dlg.bridge_dlg cannot hand on any.", "SipInvalidNumber");
        return (KamailioNumbers.Address(request.From!, template, "From"), to, proxy);

        SipNotSupportedException Cannot(string what, string why) => new($"{Name} is a Kamailio and does not take {what}: {why}. Nothing was sent.", SipCapabilities.MakeCall);
    }

    private SipNotSupportedException CannotEndRinging(KamailioSession session, KamailioCall call) =>
        new($"{Name} is a Kamailio and cannot end call {call.CallId}: it is {call.State}, {(session.CanCancel ? "and the server has not shown its INVITE yet" : "and before Kamailio 6.1 no command ends a call that is not answered without harm to the server (dlg.end_dlg would say success and do nothing)")}. Nothing was sent.", SipCapabilities.HangUp, "SipHangUpRinging")
        {
            CallId = call.CallId,
            RecommendedAction = "Wait-SipCall until it is Connected, then Stop-SipCall; or let it ring out.",
        };

    // The dialogs that could be taken for those of a call that is about to be made.
    private static async Task<HashSet<DialogKey>> DialogsOfAsync(KamailioSession session, string from, CancellationToken cancellationToken)
    {
        var found = new HashSet<DialogKey>();
        if (!session.Login.Methods.Contains("dlg.list_match"))
        {
            foreach (KamailioDialog dialog in await session.Rpc.ListAsync("dlg.list", RpcParameters.None, RpcOptions.Read, KamailioDialog.Read, cancellationToken).ConfigureAwait(false) ?? []) found.Add(dialog.Key);
            return found;
        }

        await AddAsync("turi", "eq", from).ConfigureAwait(false);
        await AddAsync("furi", "sw", from[..(from.IndexOf('@', StringComparison.Ordinal) + 1)]).ConfigureAwait(false);
        return found;

        async Task AddAsync(string key, string relation, string value)
        {
            try
            {
                foreach (KamailioDialog dialog in await session.Rpc.ListAsync("dlg.list_match", RpcParameters.Of(key, relation, value), RpcOptions.Read, KamailioDialog.Read, cancellationToken).ConfigureAwait(false) ?? []) found.Add(dialog.Key);
            }
            catch (SipRejectedException e) when (e.ServerCode == 404)
            {
                // None.
            }
        }
    }
}
