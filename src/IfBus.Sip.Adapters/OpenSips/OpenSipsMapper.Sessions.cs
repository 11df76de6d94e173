using System.Text.Json;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Calls that the server itself makes: of one leg by events, of two by its list.</content>
internal sealed partial class OpenSipsMapper
{
    /// <summary>The key of a one-leg call has come; what was told of it before counts now.</summary>
    public void Started(OpenSipsCall call, string key)
    {
        lock (calls.Sync)
        {
            call.Key = key;
            call.SipCallId = key;
            call.Seen = true;
            call.Legs.Add(new OpenSipsLeg(key, call.ToUri));
            _sessions[key] = call;
            if (_earlySessions.Remove(key, out List<JsonElement>? told))
            {
                foreach (JsonElement e in told) Session(call, e, default);
            }

            Conditions.Check();
        }
    }

    /// <summary>The live calls of a kind.</summary>
    public List<OpenSipsCall> LiveOf(OpenSipsKind kind)
    {
        lock (calls.Sync) return [.. calls.Live.OfType<OpenSipsCall>().Where(c => c.Kind == kind)];
    }

    /// <summary>Holds the calls that we had the server make against its list. Null for a tuple that is not there.</summary>
    public void Look(OpenSipsCall call, ScenarioRow? row)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated) return;
            if (row is null) Vanished(call);
            else Show(call, row);
            Conditions.Check();
        }
    }

    /// <summary>A tuple that we do not know: a call that somebody else has the server make.</summary>
    public void AddScenario(ScenarioRow row)
    {
        lock (calls.Sync)
        {
            if (row.State == ScenarioRow.Cancelled || row.Parties.Count == 0) return;
            string id = "b2b:" + row.Key;
            if (calls.TryFindLive(id, out _)) return;
            var call = new OpenSipsCall(id, ours: false, OpenSipsKind.Scenario) { Key = row.Key, From = OpenSipsNumbers.Number(row.Parties[0].Uri), To = OpenSipsNumbers.Number(row.Parties.Count > 1 ? row.Parties[1].Uri : null) };
            calls.Add(call);
            calls.Move(call, CallState.Dialing);
            Show(call, row);
        }
    }

    private void Show(OpenSipsCall call, ScenarioRow row)
    {
        call.Seen = true;
        call.Key = row.Key;
        call.Legs.Clear();
        foreach (ScenarioParty party in row.Parties) call.Legs.Add(new OpenSipsLeg(party.Key, party.Uri) { State = party.Confirmed ? "confirmed" : party.Early ? "early" : null });

        // The destination is the party that is not the first; the first one's ringing is no ringing of the call.
        ScenarioParty? last = row.Parties.Count > 1 ? row.Parties[^1] : null;
        if (row.State == ScenarioRow.Cancelled)
        {
            Vanished(call);
        }
        else if (call.Transfer is { Done: false } transfer)
        {
            if (row.State == ScenarioRow.Bridged && row.Parties.Any(p => p.Name is null && p.Confirmed)) TransferDone(call, transfer, default);
        }
        else if (row.State == ScenarioRow.Bridged && row.Parties.All(p => p.Confirmed) && row.Parties.Count > 1)
        {
            call.AnswerBy = null;
            calls.Move(call, CallState.Connected);
        }
        else if (last is { Early: true, Confirmed: false } && call.State == CallState.Dialing)
        {
            calls.Move(call, CallState.Ringing);
        }
    }

    private void Vanished(OpenSipsCall call)
    {
        if (call.Transfer is { Done: false } transfer)
        {
            transfer.Failure ??= "the server does not say why";
            transfer.Done = true;
            End(call, call.HangupWanted ?? HangupCause.Unknown, null, $"transfer to {transfer.To} failed: the server does not say why", default);
            return;
        }

        if (call.AnsweredAt is not null)
        {
            End(call, call.HangupWanted ?? HangupCause.NormalClearing, null, null, default);
            return;
        }

        bool first = call.Legs.Count > 1 || call.Legs.Exists(l => l.State == "confirmed") || call.Legs is [{ State: null }] && call.Legs[0].Uri is { } uri && OpenSipsNumbers.Number(uri) == OpenSipsNumbers.Number(call.ToUri);
        string who = first ? call.To ?? "the destination" : call.From ?? "the first party";
        string? text = call.HangupWanted is null ? $"{who} refused, cannot be reached or gave up; the server does not say which" : null;
        if (call.OwnCause is { } own) text = $"not answered within {call.RingTime.TotalSeconds:0.###} s; ended by us";
        End(call, call.OwnCause ?? call.HangupWanted ?? HangupCause.Unknown, null, text, default);
    }

    private void OnSession(JsonElement e, ReadOnlyMemory<byte> raw)
    {
        if (MiJson.Text(e, "key") is not { } key) return;
        if (_sessions.TryGetValue(key, out OpenSipsCall? call))
        {
            Session(call, e, raw);
        }
        else if (_earlySessions.Count < 1000 && LiveOf(OpenSipsKind.Session).Exists(c => c.Key is null))
        {
            // The event may be here before the reply that has the key.
            if (!_earlySessions.TryGetValue(key, out List<JsonElement>? told)) _earlySessions[key] = told = [];
            if (told.Count < 20) told.Add(e.Clone());
        }
    }

    private void Session(OpenSipsCall call, JsonElement e, ReadOnlyMemory<byte> raw)
    {
        string? type = MiJson.Text(e, "event_type");
        int? status = MiJson.Number(e, "status") is >= 100 and <= 699 and long said ? (int)said : null;
        bool begins = MiJson.Text(e, "method") == "INVITE" && call.AnsweredAt is null;
        switch (type)
        {
            case "EARLY" when begins:
                call.Legs[0].State = "early";
                if (status is 180 or 183) calls.Move(call, CallState.Ringing, raw.Span, EventReader.Instance);
                break;
            case "ANSWERED" when begins:
                call.Legs[0].State = "confirmed";
                call.AnswerBy = null;
                calls.Move(call, CallState.Connected, raw.Span, EventReader.Instance);
                break;
            case "REJECTED" when begins:
                HangupCause cause = call.OwnCause ?? call.HangupWanted ?? (status is { } known ? Cause(known, call.State) : HangupCause.Unknown);
                End(call, cause, status, call.OwnCause is null ? MiJson.Text(e, "reason") : $"not answered within {call.RingTime.TotalSeconds:0.###} s; ended by us", raw);
                break;
            case "TERMINATED":
                // Only the phone's own BYE is told so; of ua_session_terminate there is no event.
                call.EndedBy = "callee";
                End(call, call.HangupWanted ?? HangupCause.NormalClearing, null, null, raw);
                break;
        }
    }
}
