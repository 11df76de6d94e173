using System.Globalization;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <content>Calls that the server makes: it tells no events of those that it joins, and all of those of one leg.</content>
internal sealed partial class ProxyCore
{
    /// <summary>b2b_trigger_scenario. False if the server cannot.</summary>
    public bool Join(string scenario, string first, string second)
    {
        lock (Sync)
        {
            var tuple = new SimTuple { Key = (++_number % 1024).ToString(CultureInfo.InvariantCulture) + "." + (_number / 1024).ToString(CultureInfo.InvariantCulture), Scenario = scenario };
            Tuples.Add(tuple);
            if (!Options.HasServerAddress)
            {
                tuple.State = 0;
                return false;
            }

            SimEntity one = Entity("client1", first, second);
            tuple.Clients.Add(one);
            Ring(
                one,
                () => Tuples.Contains(tuple),
                () =>
                {
                    SimEntity other = Entity("client2", second, first);
                    Pair(one, other);
                    tuple.Clients.Add(other);
                    Bring(tuple, one, other);
                },
                () => Tuples.Remove(tuple));
            return true;
        }
    }

    /// <summary>b2b_bridge: one party stays, the other is released, a new one is called. False if there is no such call.</summary>
    public bool Bridge(string key, string uri, bool keepSecond)
    {
        lock (Sync)
        {
            if (Tuples.Find(t => t.Key == key && t.State == 4) is not { Clients.Count: 2 } tuple) return false;
            SimEntity kept = tuple.Clients[keepSecond ? 1 : 0];
            SimEntity next = Entity(null, uri, kept.Uri);
            Pair(kept, next);
            tuple.Clients.Clear();
            tuple.Clients.AddRange([kept, next]);
            tuple.State = 3;
            Bring(tuple, kept, next);
            return true;
        }
    }

    /// <summary>b2b_terminate_call.</summary>
    public bool Terminate(string key)
    {
        lock (Sync) return Tuples.RemoveAll(t => t.Key == key) > 0;
    }

    /// <summary>ua_session_client_start. Returns the key.</summary>
    public string CallOne(string uri, string from)
    {
        lock (Sync)
        {
            SimEntity leg = Entity(null, uri, from);
            Sessions.Add(leg);
            PhoneBehaviour phone = PhoneBehaviour.Of(leg.Number, false);
            Ring(
                leg,
                () => Sessions.Contains(leg),
                () => Tell(leg, "ANSWERED", 200, "OK", "INVITE"),
                () =>
                {
                    Sessions.Remove(leg);
                    int status = phone.SipStatus == 0 ? 404 : phone.SipStatus;
                    Tell(leg, "REJECTED", status, status == 486 ? "Busy Here" : "No", "INVITE");
                },
                () => Tell(leg, "EARLY", 180, "Ringing", "INVITE"),
                () =>
                {
                    Sessions.Remove(leg);
                    Tell(leg, "TERMINATED", 0, null, "BYE");
                });
            return leg.Key;
        }
    }

    /// <summary>ua_session_terminate: without an event.</summary>
    public bool EndOne(string key)
    {
        lock (Sync) return Sessions.RemoveAll(s => s.Key == key) > 0;
    }

    // The second party is called; when it refuses the first one is hung up on, and the tuple stays for its lifetime.
    private void Bring(SimTuple tuple, SimEntity kept, SimEntity next) => Ring(
        next,
        () => Tuples.Contains(tuple) && tuple.Clients.Contains(next),
        () => tuple.State = 4,
        () =>
        {
            tuple.State = 5;
            tuple.Clients.Remove(kept);
            next.Peer = null;
            Later(TimeSpan.FromSeconds(30), () => Tuples.Remove(tuple));
        },
        left: () => Tuples.Remove(tuple));

    // What the phone does that is called; every step only while the call is there.
    private void Ring(SimEntity leg, Func<bool> alive, Action answered, Action refused, Action? early = null, Action? left = null)
    {
        PhoneBehaviour phone = PhoneBehaviour.Of(leg.Number, false);
        if (phone.Kind is not (PhoneKind.Answers or PhoneKind.Rings))
        {
            Later(Moment, () =>
            {
                if (!alive()) return;
                leg.State = 7;
                refused();
            });
            return;
        }

        Later(Moment, () =>
        {
            if (!alive() || leg.State == 5) return;
            leg.State = 3;
            early?.Invoke();
        });
        if (phone.Kind == PhoneKind.Rings) return;
        Later(Moment + (phone.RingsFor ?? Options.RingTime), () =>
        {
            if (!alive()) return;
            leg.State = 5;
            answered();
            if (phone.TalksFor is { } time)
            {
                Later(time, () =>
                {
                    if (alive()) left?.Invoke();
                });
            }
        });
    }

    private SimEntity Entity(string? name, string uri, string from) => new()
    {
        Key = string.Create(CultureInfo.InvariantCulture, $"B2B.{++_number % 512}.{_number * 7919 % 9999991}.{Now.ToUnixTimeSeconds()}.{_number * 2654435761L % 2147483647}"),
        Name = name,
        Uri = uri,
        FromUri = from,
        Number = Number(uri),
    };

    private static void Pair(SimEntity one, SimEntity other) => (one.Peer, other.Peer) = (other, one);

    private void Tell(SimEntity leg, string type, int status, string? reason, string method) => Raise("E_UA_SESSION", new JsonObject
    {
        ["key"] = leg.Key,
        ["event_type"] = type,
        ["entity_type"] = "UAC",
        ["status"] = status,
        ["reason"] = reason,
        ["method"] = method,
        ["body"] = null,
        ["headers"] = null,
        ["extra_params"] = null,
    });
}
