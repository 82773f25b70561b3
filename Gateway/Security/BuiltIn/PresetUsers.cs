using Broker.Gateway.Links;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.BuiltIn;

/// <summary>Adds the users of the configuration that are not there yet, before anybody may connect. Those that are there keep their passwords.</summary>
internal sealed class PresetUsers(BuiltInAccess access, BuiltInUsers users, IOptions<BuiltInOptions> options, TimeProvider time) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var preset in options.Value.Users)
        {
            var (kind, name) = preset.UserName is { } userName ? (UserKind.UserName, userName) : (UserKind.ClientId, preset.ClientId!);
            if (users.Find(kind, name) is not null) continue;
            await GrainCalls.InsistAsync(() => access.AddUserAsync(kind, name, preset.Password!, preset.IsSuperuser), time);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Stops the start at presets that name nobody.</summary>
internal sealed class BuiltInOptionsValidator : IValidateOptions<BuiltInOptions>
{
    public ValidateOptionsResult Validate(string? name, BuiltInOptions options)
    {
        var faults = new List<string>();
        if (!Passwords.PasswordHash.TryParse(options.PasswordHash, out _)) faults.Add($"{BuiltInOptions.Section}:PasswordHash = '{options.PasswordHash}' is no hash such as plain, sha256, salt,sha256, bcrypt or pbkdf2,sha256,10000,32.");
        foreach (var (i, user) in options.Users.Index())
        {
            if (string.IsNullOrEmpty(user.UserName) == string.IsNullOrEmpty(user.ClientId)) faults.Add($"{BuiltInOptions.Section}:Users:{i} must have a UserName or a ClientId, and not both.");
            if (string.IsNullOrEmpty(user.Password)) faults.Add($"{BuiltInOptions.Section}:Users:{i}:Password is missing.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
