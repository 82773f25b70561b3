using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Sessions;

/// <summary>The will of a transient session, also kept where it is found if this process dies.</summary>
/// <param name="Connection">The number under which the keeper has it.</param>
internal sealed record KeptWill(Will Will, IWillKeeper Keeper, ulong Connection);
