@{
    RootModule           = 'bin/IfBus.Sip.PowerShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = '5d0f3f86-0a3f-4a0d-9a7b-2f6f6a3a5f11'
    Author               = 'IfBus.Sip contributors'
    CompanyName          = 'IfBus.Sip'
    Copyright            = '(c) IfBus.Sip contributors. MIT licence.'
    Description          = 'Runs the calls of SIP servers with one set of cmdlets: typed call objects on the pipeline, states and causes as the server said them. Asterisk, FreeSWITCH, Yate, Kamailio and OpenSIPS; accounts of Flexisip; simulators to try and test scripts without a server.'
    PowerShellVersion    = '7.4'
    CompatiblePSEditions = @('Core')
    FormatsToProcess     = @('IfBus.Sip.Format.ps1xml')
    TypesToProcess       = @('IfBus.Sip.Types.ps1xml')
    CmdletsToExport      = @(
        'Find-SipServer', 'Connect-SipServer', 'Disconnect-SipServer', 'Get-SipServer', 'Register-SipServer', 'Unregister-SipServer', 'Set-SipServer', 'Test-SipServer',
        'Test-SipServerConfiguration', 'New-SipCall', 'Get-SipCallStatus', 'Wait-SipCall', 'Stop-SipCall',
        'Move-SipCall', 'Suspend-SipCall', 'Resume-SipCall', 'Receive-SipCall', 'Deny-SipCall',
        'Get-SipConference', 'Join-SipConference', 'Exit-SipConference', 'Set-SipConference',
        'Start-SipRecording', 'Stop-SipRecording', 'Set-SipRecording', 'Send-SipDtmf', 'Get-SipCallVariable', 'Set-SipCallVariable',
        'Get-SipCallHistory', 'Get-SipCallDetailRecord', 'Get-SipRegistration', 'Add-SipRegistration', 'Remove-SipRegistration',
        'Get-SipGateway', 'Set-SipGateway', 'Get-SipQueue', 'Get-SipStatistic',
        'Watch-SipEvent', 'Invoke-SipCommand', 'Register-SipRoute', 'Get-SipRoute', 'Unregister-SipRoute',
        'Start-SipSimulator', 'Stop-SipSimulator',
        'Get-SipAccount', 'New-SipAccount', 'Set-SipAccount', 'Remove-SipAccount', 'Enable-SipAccount', 'Disable-SipAccount',
        'Get-SipDevice', 'Remove-SipDevice', 'Send-SipPushNotification', 'Send-SipMessage', 'New-SipProvisioning', 'Get-SipSpace',
        'Get-SipCallForwarding', 'Set-SipCallForwarding', 'Remove-SipCallForwarding'
    )
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    PrivateData          = @{
        PSData = @{
            Tags         = @('SIP', 'VoIP', 'Telephony', 'Asterisk', 'FreeSWITCH', 'Yate', 'Kamailio', 'OpenSIPS', 'Flexisip', 'PBX', 'PSEdition_Core')
            ReleaseNotes = 'First version. Get-Help about_IfBus.Sip is the introduction.'
        }
    }
}
