using Orleans.Runtime.Placement;

namespace Broker.Grains.Cluster;

/// <summary>Moves an activation from inside.</summary>
internal static class Migration
{
    /// <summary>Migrates the grain to another silo as soon as no call runs.</summary>
    public static Task MigrateTo(this Grain grain, SiloAddress silo)
    {
        if (grain.GrainContext.Address.SiloAddress!.Equals(silo)) return Task.CompletedTask;
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        grain.MigrateOnIdle();
        return Task.CompletedTask;
    }
}
