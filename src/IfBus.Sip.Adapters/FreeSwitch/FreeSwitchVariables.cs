namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>Variables of a channel that are more than a value: the server runs what stands in them, or sends the channel elsewhere (read in the source of FreeSWITCH 1.10.12).</summary>
internal static class FreeSwitchVariables
{
    private static readonly string[] Beginnings =
    [
        // api_on_answer, api_hangup_hook; group_confirm_key=exec runs group_confirm_file; loopback_app; a shell: system_on_fax_result.
        "api_", "group_confirm", "loopback_app", "system_",
        // Where a channel goes, on to any dialplan, inline too: transfer_after_bridge, transfer_on_fail, force_transfer_dialplan, campon_fallback_exten.
        "transfer_", "force_transfer_", "campon_fallback_", "hold_hangup_xfer_", "native_backup_",
    ];

    private static readonly string[] Parts =
    [
        // execute_on_answer, exec_after_bridge_app, bridge_pre_execute_bleg_app, record_post_process_exec_api; api_reporting_hook.
        "exec", "hook",
        // sip_redirect_dialplan; fifo_orbit_exten, mutex_orbit_dialplan, valet_parking_orbit_exten.
        "dialplan", "_orbit_",
    ];

    /// <summary>Refuses the name of such a variable; in any case, as the server reads it.</summary>
    /// <param name="name">The variable's name.</param>
    /// <param name="parameter">The caller's parameter, for the error.</param>
    /// <exception cref="SipArgumentException">It is one.</exception>
    public static void Check(string name, string parameter)
    {
        if (Array.Exists(Beginnings, b => name.StartsWith(b, StringComparison.OrdinalIgnoreCase)) || Array.Exists(Parts, p => name.Contains(p, StringComparison.OrdinalIgnoreCase)))
            throw new SipArgumentException(parameter, name, "variables that make the server run an application, an api command or a program, or that send the channel elsewhere, are refused; Invoke-SipCommand uuid_setvar sets them on a living leg.");
    }
}
