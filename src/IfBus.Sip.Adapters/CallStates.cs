namespace IfBus.Sip.Adapters;

/// <summary>The steps that a call may take from one state to another.</summary>
internal static class CallStates
{
    private static readonly bool[,] Allowed = Build();

    /// <summary>True if the step exists. A state is never a step from itself, nothing leads out of Terminated.</summary>
    public static bool CanMove(CallState from, CallState to) => Allowed[(int)from, (int)to];

    private static bool[,] Build()
    {
        int count = Enum.GetValues<CallState>().Length;
        var allowed = new bool[count, count];
        void Allow(CallState from, params CallState[] to)
        {
            foreach (CallState state in to) allowed[(int)from, (int)state] = true;
        }

        Allow(CallState.Created, CallState.Dialing);
        Allow(CallState.Dialing, CallState.Ringing, CallState.Connected);
        Allow(CallState.Ringing, CallState.Connected);
        Allow(CallState.Incoming, CallState.Connected);
        Allow(CallState.Connected, CallState.OnHold, CallState.Transferring);
        Allow(CallState.OnHold, CallState.Connected, CallState.Transferring);
        Allow(CallState.Transferring, CallState.Connected, CallState.OnHold);
        foreach (CallState state in Enum.GetValues<CallState>())
        {
            if (state == CallState.Terminated) continue;
            Allow(state, CallState.Terminated);
            if (state != CallState.HangingUp) Allow(state, CallState.HangingUp);
        }

        return allowed;
    }
}
